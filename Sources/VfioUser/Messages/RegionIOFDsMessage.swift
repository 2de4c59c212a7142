/// VFIO_USER_DEVICE_GET_REGION_IO_FDS, request and reply: places in a region whose writes may be made by a descriptor.
/// "VFIO_USER_DEVICE_GET_REGION_IO_FDS"; the type's number is libvfio-user's (include/vfio-user.h).
///
///     0  argsz    4  flags    8  index    12  count    16  each: 0 offset, 8 size, 16 descriptor's index, 20 type, 24 flags,
///     28 padding, 32 datamatch
public struct RegionIOFDsMessage: Equatable, Sendable {
    public static let headByteCount = 16
    static let placeByteCount = 40
    static let eventfdType: UInt32 = 0

    public var argumentByteCount: UInt32
    public var index: UInt32
    /// Offsets in the region; a write of any size and value to one may be a signal of the one eventfd that comes along.
    public var offsets: [UInt64]

    public init(argumentByteCount: UInt32 = UInt32(headByteCount), index: UInt32, offsets: [UInt64] = []) {
        self.argumentByteCount = argumentByteCount
        self.index = index
        self.offsets = offsets
    }

    public var fullByteCount: Int { RegionIOFDsMessage.headByteCount + offsets.count * RegionIOFDsMessage.placeByteCount }

    public static func parseRequest(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> RegionIOFDsMessage {
        let name = Command.deviceGetRegionIOFDs.name
        try requireLength(bytes, headByteCount, of: name)
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        try requireArgumentSize(bytes, headByteCount, of: name)
        for (field, at) in [("flags", 4), ("count", 12)] where bytes.field32(at: at) != 0 {
            throw .field(message: name, name: field, value: UInt64(bytes.field32(at: at)))
        }
        return RegionIOFDsMessage(argumentByteCount: bytes.field32(at: 0), index: bytes.field32(at: 8))
    }

    /// - Parameter roomByteCount: what the asker has room for; a longer reply is cut to the fixed part ("Message sizes").
    public func emit(roomByteCount: Int) -> [UInt8] {
        let isWhole = fullByteCount <= roomByteCount
        var bytes: [UInt8] = []
        bytes.append32(UInt32(clamping: fullByteCount))
        bytes.append32(0)
        bytes.append32(index)
        bytes.append32(UInt32(clamping: offsets.count))
        guard isWhole else { return bytes }
        for offset in offsets {
            bytes.append64(offset)
            bytes.append64(0)
            bytes.append32(0)
            bytes.append32(RegionIOFDsMessage.eventfdType)
            bytes.append32(0)
            bytes.append32(0)
            bytes.append64(0)
        }
        return bytes
    }
}
