import CLinuxShims

/// VFIO_USER_DEVICE_GET_REGION_INFO, request and reply: `struct vfio_region_info` and its capabilities.
/// "VFIO_USER_DEVICE_GET_REGION_INFO", "VFIO region capabilities".
///
///     0  argsz    4  flags    8  index    12  offset of the first capability    16  size    24  mmap offset
public struct RegionInfoMessage: Equatable, Sendable {
    public static let byteCount = 32
    /// Header, count and padding of the sparse mmap capability (`struct vfio_region_info_cap_sparse_mmap`).
    static let sparseHeaderByteCount = 16
    static let areaByteCount = 16
    /// Areas of one region: a mapping each, so that a peer cannot use up ours (vm.max_map_count is 65530 by default).
    public static let maximumAreas = 1024
    /// A list with more capabilities is a loop.
    static let maximumCapabilities = 64

    public var argumentByteCount: UInt32
    public var isReadable: Bool
    public var isWritable: Bool
    public var isMappable: Bool
    public var index: UInt32
    public var regionByteCount: UInt64
    /// Added to an area's offset it is the offset in the file that comes along.
    public var fileOffset: UInt64
    /// From the sparse mmap capability; nil when there is none: then a mappable region is mappable whole.
    public var areas: [Range<UInt64>]?

    public init(
        argumentByteCount: UInt32, isReadable: Bool = false, isWritable: Bool = false, isMappable: Bool = false, index: UInt32,
        regionByteCount: UInt64 = 0, fileOffset: UInt64 = 0, areas: [Range<UInt64>]? = nil
    ) {
        self.argumentByteCount = argumentByteCount
        self.isReadable = isReadable
        self.isWritable = isWritable
        self.isMappable = isMappable
        self.index = index
        self.regionByteCount = regionByteCount
        self.fileOffset = fileOffset
        self.areas = areas
    }

    /// The payload's size with all of its capabilities.
    public var fullByteCount: Int {
        guard let areas else { return RegionInfoMessage.byteCount }
        return RegionInfoMessage.byteCount + RegionInfoMessage.sparseHeaderByteCount + areas.count * RegionInfoMessage.areaByteCount
    }

    /// A request names an index and what it has room for. Other fields are ignored: QEMU's second request carries what the
    /// first reply said.
    public static func parseRequest(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> RegionInfoMessage {
        let name = Command.deviceGetRegionInfo.name
        try requireLength(bytes, byteCount, of: name)
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        let argsz = bytes.field32(at: 0)
        guard argsz >= UInt32(byteCount) else { throw .field(message: name, name: "argsz", value: UInt64(argsz)) }
        return RegionInfoMessage(argumentByteCount: argsz, index: bytes.field32(at: 8))
    }

    public static func parseReply(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> RegionInfoMessage {
        let name = Command.deviceGetRegionInfo.name
        guard bytes.count >= byteCount else { throw .length(message: name, expected: byteCount, actual: bytes.count) }
        guard descriptorCount <= 1 else { throw .descriptors(message: name, expected: 1, actual: descriptorCount) }
        let argsz = bytes.field32(at: 0)
        guard argsz >= UInt32(byteCount) else { throw .field(message: name, name: "argsz", value: UInt64(argsz)) }
        let flags = bytes.field32(at: 4)
        var info = RegionInfoMessage(
            argumentByteCount: argsz, isReadable: flags & UInt32(VFIO_REGION_INFO_FLAG_READ) != 0,
            isWritable: flags & UInt32(VFIO_REGION_INFO_FLAG_WRITE) != 0, isMappable: flags & UInt32(VFIO_REGION_INFO_FLAG_MMAP) != 0,
            index: bytes.field32(at: 8), regionByteCount: bytes.field64(at: 16), fileOffset: bytes.field64(at: 24))
        if flags & UInt32(VFIO_REGION_INFO_FLAG_CAPS) != 0, UInt64(argsz) <= UInt64(bytes.count) {
            info.areas = try sparseAreas(bytes, first: bytes.field32(at: 12))
        }
        return info
    }

    /// - Parameter roomByteCount: what the asker has room for; a longer reply is cut to the fixed part, without capabilities
    ///   ("Message sizes").
    public func emit(roomByteCount: Int = .max) -> [UInt8] {
        let isWhole = fullByteCount <= roomByteCount
        let hasCapabilities = areas != nil && isWhole
        var flags: UInt32 = 0
        if isReadable { flags |= UInt32(VFIO_REGION_INFO_FLAG_READ) }
        if isWritable { flags |= UInt32(VFIO_REGION_INFO_FLAG_WRITE) }
        if isMappable && isWhole { flags |= UInt32(VFIO_REGION_INFO_FLAG_MMAP) }
        if hasCapabilities { flags |= UInt32(VFIO_REGION_INFO_FLAG_CAPS) }
        var bytes: [UInt8] = []
        bytes.append32(argumentByteCount)
        bytes.append32(flags)
        bytes.append32(index)
        bytes.append32(hasCapabilities ? UInt32(RegionInfoMessage.byteCount) : 0)
        bytes.append64(regionByteCount)
        bytes.append64(fileOffset)
        guard hasCapabilities, let areas else { return bytes }
        bytes.append16(UInt16(VFIO_REGION_INFO_CAP_SPARSE_MMAP))
        bytes.append16(1)
        bytes.append32(0)
        bytes.append32(UInt32(clamping: areas.count))
        bytes.append32(0)
        for area in areas {
            bytes.append64(area.lowerBound)
            bytes.append64(area.upperBound - area.lowerBound)
        }
        return bytes
    }
}

extension RegionInfoMessage {
    /// Walks the capability list ("VFIO cap header format": 0 id, 2 version, 4 next, all from the structure's start).
    private static func sparseAreas(_ bytes: [UInt8], first: UInt32) throws(MessageError) -> [Range<UInt64>]? {
        let name = Command.deviceGetRegionInfo.name
        var next = first
        for _ in 0..<maximumCapabilities {
            if next == 0 { return nil }
            guard next >= UInt32(byteCount), UInt64(next) + 8 <= UInt64(bytes.count) else {
                throw .field(message: name, name: "capability offset", value: UInt64(next))
            }
            let at = Int(next)
            if bytes.field16(at: at) == UInt16(VFIO_REGION_INFO_CAP_SPARSE_MMAP) { return try sparseAreas(bytes, at: at) }
            next = bytes.field32(at: at + 4)
        }
        throw .field(message: name, name: "capability offset", value: UInt64(next))
    }

    /// "VFIO region info cap sparse mmap": 8 number of areas, 16 the first offset and size.
    private static func sparseAreas(_ bytes: [UInt8], at start: Int) throws(MessageError) -> [Range<UInt64>] {
        let name = Command.deviceGetRegionInfo.name
        guard bytes.count - start >= sparseHeaderByteCount else {
            throw .length(message: name, expected: start + sparseHeaderByteCount, actual: bytes.count)
        }
        let count = bytes.field32(at: start + 8)
        guard count <= UInt32(maximumAreas) else { throw .field(message: name, name: "nr_areas", value: UInt64(count)) }
        let end = start + sparseHeaderByteCount + Int(count) * areaByteCount
        guard bytes.count >= end else { throw .length(message: name, expected: end, actual: bytes.count) }
        var areas: [Range<UInt64>] = []
        for index in 0..<Int(count) {
            let at = start + sparseHeaderByteCount + index * areaByteCount
            let offset = bytes.field64(at: at)
            let (upper, overflow) = offset.addingReportingOverflow(bytes.field64(at: at + 8))
            guard !overflow else { throw .field(message: name, name: "area offset", value: offset) }
            // An empty area is allowed by the header and means nothing.
            if upper > offset { areas.append(offset..<upper) }
        }
        return areas
    }
}
