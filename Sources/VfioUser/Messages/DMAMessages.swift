public import DeviceMemory

/// VFIO_USER_DMA_MAP's request; the reply is empty. "VFIO_USER_DMA_MAP".
///
///     0  argsz    4  flags (0 readable, 1 writable)    8  file offset    16  address    24  size
public struct DMAMapMessage: Equatable, Sendable {
    public static let byteCount = 32

    public var access: DMAAccess
    /// Where the range starts in the file whose descriptor comes along; zero without one.
    public var fileOffset: UInt64
    public var range: IOVARange

    public init(access: DMAAccess, fileOffset: UInt64, range: IOVARange) {
        self.access = access
        self.fileOffset = fileOffset
        self.range = range
    }

    /// - Parameter descriptorCount: one, or none for memory that cannot be mapped.
    public static func parse(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> DMAMapMessage {
        let name = Command.dmaMap.name
        try requireLength(bytes, byteCount, of: name)
        guard descriptorCount <= 1 else { throw .descriptors(message: name, expected: 1, actual: descriptorCount) }
        let argsz = bytes.field32(at: 0)
        guard argsz >= UInt32(byteCount) else { throw .field(message: name, name: "argsz", value: UInt64(argsz)) }
        let flags = bytes.field32(at: 4)
        guard flags & ~3 == 0 else { throw .field(message: name, name: "flags", value: UInt64(flags)) }
        let size = bytes.field64(at: 24)
        guard let range = IOVARange(start: IOVA(bytes.field64(at: 16)), byteCount: size) else {
            throw .field(message: name, name: "size", value: size)
        }
        return DMAMapMessage(access: DMAAccess(rawValue: flags), fileOffset: bytes.field64(at: 8), range: range)
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(UInt32(DMAMapMessage.byteCount))
        bytes.append32(access.rawValue)
        bytes.append64(fileOffset)
        bytes.append64(range.start.rawValue)
        bytes.append64(range.byteCount)
        return bytes
    }
}

/// VFIO_USER_DMA_UNMAP, request and reply alike. "VFIO_USER_DMA_UNMAP".
///
///     0  argsz    4  flags (unused)    8  address    16  size
public struct DMAUnmapMessage: Equatable, Sendable {
    public static let byteCount = 24

    public var range: IOVARange

    public init(range: IOVARange) { self.range = range }

    public static func parse(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> DMAUnmapMessage {
        let name = Command.dmaUnmap.name
        try requireLength(bytes, byteCount, of: name)
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        let argsz = bytes.field32(at: 0)
        guard argsz >= UInt32(byteCount) else { throw .field(message: name, name: "argsz", value: UInt64(argsz)) }
        let flags = bytes.field32(at: 4)
        guard flags == 0 else { throw .field(message: name, name: "flags", value: UInt64(flags)) }
        let start = bytes.field64(at: 8)
        let size = bytes.field64(at: 16)
        guard let range = IOVARange(start: IOVA(start), byteCount: size) else {
            throw .field(message: name, name: "size", value: size)
        }
        return DMAUnmapMessage(range: range)
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(UInt32(DMAUnmapMessage.byteCount))
        bytes.append32(0)
        bytes.append64(range.start.rawValue)
        bytes.append64(range.byteCount)
        return bytes
    }
}
