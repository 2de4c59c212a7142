public import DeviceMemory

/// VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE, the server's commands for memory that it cannot map, and their replies:
/// data is in a write's request and in a read's reply. "VFIO_USER_DMA_READ", "VFIO_USER_DMA_WRITE".
///
///     0  address    8  count    16  data
///
/// The text gives the count of a write's reply 4 bytes, QEMU's code 8; here 8 are sent and both are taken.
public struct DMATransferMessage: Equatable, Sendable {
    public static let headByteCount = 16

    public var address: IOVA
    public var count: UInt64
    public var data: [UInt8]

    public init(address: IOVA, count: UInt64, data: [UInt8] = []) {
        self.address = address
        self.count = count
        self.data = data
    }

    /// - Parameters:
    ///   - hasData: whether this one carries the data.
    ///   - maximumByteCount: `max_data_xfer_size` of the side that takes it.
    public static func parse(
        _ bytes: [UInt8], hasData: Bool, maximumByteCount: Int, descriptorCount: Int
    ) throws(MessageError) -> DMATransferMessage {
        let name = "a DMA transfer"
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        let hasShortCount = !hasData && bytes.count == 12
        guard hasShortCount || bytes.count >= headByteCount else {
            throw .length(message: name, expected: headByteCount, actual: bytes.count)
        }
        let count = hasShortCount ? UInt64(bytes.field32(at: 8)) : bytes.field64(at: 8)
        guard count > 0, count <= UInt64(maximumByteCount) else { throw .field(message: name, name: "count", value: count) }
        if !hasShortCount { try requireLength(bytes, headByteCount + (hasData ? Int(count) : 0), of: name) }
        return DMATransferMessage(address: IOVA(bytes.field64(at: 0)), count: count, data: Array(bytes.dropFirst(headByteCount)))
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(DMATransferMessage.headByteCount + data.count)
        bytes.append64(address.rawValue)
        bytes.append64(count)
        return bytes + data
    }
}
