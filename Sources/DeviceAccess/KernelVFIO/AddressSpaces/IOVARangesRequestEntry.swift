import CLinuxShims
import LinuxIO
import SystemPackage

/// IOMMU_IOAS_IOVA_RANGES, whose answer goes into an array that the request points to.
enum IOVARangesRequest {
    /// More windows than any machine has.
    static let maximumCount = 65536

    static func ask(_ file: borrowing OwnedDescriptor, ioas: UInt32) throws(SystemCallError) -> IOVARangesReply {
        var count = 64
        while true {
            let (result, reply) = attempt(file, ioas: ioas, count: count)
            switch result {
            case .success: return reply
            // EMSGSIZE: there are more windows than room, and the request says how many.
            case .failure(let error) where error.errno == .messageTooLong && reply.count > count && reply.count <= maximumCount:
                count = reply.count
            case .failure(let error): throw error
            }
        }
    }

    private static func attempt(
        _ file: borrowing OwnedDescriptor, ioas: UInt32, count: Int
    ) -> (Result<Int32, SystemCallError>, IOVARangesReply) {
        var request = unic_iommu_ioas_iova_ranges()
        request.size = UInt32(MemoryLayout<unic_iommu_ioas_iova_ranges>.size)
        request.ioas_id = ioas
        request.num_iovas = UInt32(count)
        var ranges = [unic_iommu_iova_range](repeating: unic_iommu_iova_range(), count: count)
        var result: Result<Int32, SystemCallError> = .success(0)
        // SAFETY: the kernel writes at most `num_iovas` elements for the time of the call, and the array has as many.
        unsafe ranges.withUnsafeMutableBufferPointer { buffer in
            request.allowed_iovas = UInt64(UInt(bitPattern: buffer.baseAddress))
            do throws(SystemCallError) {
                result = .success(
                    try file.ioctl(UInt(unic_iommu_ioas_iova_ranges_request), &request, call: "IOMMU_IOAS_IOVA_RANGES", on: "IOAS \(ioas)"))
            } catch { result = .failure(error) }
        }
        let told = Int(request.num_iovas)
        return (
            result,
            IOVARangesReply(
                count: told, pairs: ranges.prefix(told).map { ($0.start, $0.last) }, alignment: request.out_iova_alignment)
        )
    }
}
