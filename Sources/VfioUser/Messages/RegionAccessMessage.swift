/// VFIO_USER_REGION_READ and VFIO_USER_REGION_WRITE, requests and replies: the same head, with the data in a write's
/// request and a read's reply. "VFIO_USER_REGION_READ", "VFIO_USER_REGION_WRITE".
///
///     0  offset    8  region    12  count    16  data
public struct RegionAccessMessage: Equatable, Sendable {
    public static let headByteCount = 16

    public var offset: UInt64
    public var region: UInt32
    public var count: UInt32
    /// `count` bytes, or none.
    public var data: [UInt8]

    public init(offset: UInt64, region: UInt32, count: UInt32, data: [UInt8] = []) {
        self.offset = offset
        self.region = region
        self.count = count
        self.data = data
    }

    /// - Parameters:
    ///   - hasData: whether this one carries the data.
    ///   - maximumByteCount: `max_data_xfer_size` as this side announced it ("Read and Write Operations").
    public static func parse(
        _ bytes: [UInt8], hasData: Bool, maximumByteCount: Int, descriptorCount: Int
    ) throws(MessageError) -> RegionAccessMessage {
        let name = "a region access"
        guard bytes.count >= headByteCount else { throw .length(message: name, expected: headByteCount, actual: bytes.count) }
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        let count = bytes.field32(at: 12)
        guard count > 0, UInt64(count) <= UInt64(maximumByteCount) else { throw .field(message: name, name: "count", value: UInt64(count)) }
        try requireLength(bytes, headByteCount + (hasData ? Int(count) : 0), of: name)
        return RegionAccessMessage(
            offset: bytes.field64(at: 0), region: bytes.field32(at: 8), count: count, data: Array(bytes.dropFirst(headByteCount)))
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(RegionAccessMessage.headByteCount + data.count)
        bytes += repeatElement(0, count: RegionAccessMessage.headByteCount)
        bytes.store(offset, at: 0)
        bytes.store(region, at: 8)
        bytes.store(count, at: 12)
        bytes += data
        return bytes
    }
}
