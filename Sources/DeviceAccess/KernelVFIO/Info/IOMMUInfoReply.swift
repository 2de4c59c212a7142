import CLinuxShims
import DeviceMemory

/// What VFIO_IOMMU_GET_INFO answers for type 1 (linux/vfio.h, struct vfio_iommu_type1_info and its capabilities).
struct IOMMUInfoReply: Equatable, Sendable {
    /// argsz, flags, iova_pgsizes, cap_offset; the C structure pads it to 24.
    static let fixedByteCount = 20

    var pageSizes: UInt64
    /// VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE. nil: an older kernel does not say.
    var ranges: [IOVARange]?
    /// VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL. nil: an older kernel does not say.
    var availableMappings: UInt32?

    static func parse(_ info: InfoBytes) throws(MalformedInfo) -> IOMMUInfoReply {
        guard let flags = info.u32(at: 4), let pageSizes = info.u64(at: 8) else {
            throw MalformedInfo(reason: "an IOMMU info of \(info.count) bytes is shorter than \(fixedByteCount)")
        }
        // Without VFIO_IOMMU_INFO_PGSIZES the field is not filled in: ordinary pages are what every IOMMU has.
        let known = flags & UInt32(VFIO_IOMMU_INFO_PGSIZES) != 0 && pageSizes != 0
        var reply = IOMMUInfoReply(pageSizes: known ? pageSizes : 4096, ranges: nil, availableMappings: nil)
        guard flags & UInt32(VFIO_IOMMU_INFO_CAPS) != 0, let first = info.u32(at: 16) else { return reply }
        for capability in try CapabilityChain.parse(info, first: first, fixedByteCount: fixedByteCount) {
            switch Int32(capability.id) {
            case VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE: reply.ranges = try ranges(info, at: capability.body)
            case VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL:
                guard let available = info.u32(at: capability.body) else {
                    throw MalformedInfo(reason: "the DMA-available capability is cut short")
                }
                reply.availableMappings = available
            default: break
            }
        }
        return reply
    }

    /// struct vfio_iommu_type1_info_cap_iova_range behind its header: nr_iovas, reserved, then start and end (inclusive) of each.
    private static func ranges(_ info: InfoBytes, at start: Int) throws(MalformedInfo) -> [IOVARange] {
        guard let count = info.u32(at: start), Int(count) <= info.count / 16 else {
            throw MalformedInfo(reason: "the IOVA range capability names more ranges than its answer holds")
        }
        var pairs: [(first: UInt64, last: UInt64)] = []
        for index in 0..<Int(count) {
            let at = start + 8 + 16 * index
            guard let first = info.u64(at: at), let last = info.u64(at: at + 8) else {
                throw MalformedInfo(reason: "range \(index) of the IOVA range capability runs past the answer")
            }
            pairs.append((first, last))
        }
        return try IOVAWindows.judge(pairs)
    }

    /// What the seam tells drivers.
    var limits: DMALimits {
        DMALimits(windows: ranges ?? IOMMUInfoReply.cautiousRanges, pageSizes: pageSizes, maximumMappings: Int(availableMappings ?? 65535))
    }

    /// For kernels that do not say: 39 bits, the narrowest that Intel's IOMMUs translate, without x86's interrupt window.
    static let cautiousRanges = [(0, 0xfedf_ffff), (0xfef0_0000, 0x7f_ffff_ffff)].compactMap { IOVARange(first: $0.0, last: $0.1) }
}
