public import DeviceMemory

/// VFIO_USER_DMA_MAP's request; the reply is empty. "VFIO_USER_DMA_MAP".
///
///     0  argsz    4  flags (0 readable, 1 writable, 2 mappable, 3 by file I/O)    8  file offset    16  address    24  size
///
/// Bits 2 and 3 are libvfio-user's: the text knows the first two, and QEMU sends no others.
public struct DMAMapMessage: Equatable, Sendable {
    public static let byteCount = 32
    private static let mappableFlag: UInt32 = 1 << 2
    private static let fileIOFlag: UInt32 = 1 << 3

    public var access: DMAAccess
    /// Where the range starts in the file whose descriptor comes along; zero without one.
    public var fileOffset: UInt64
    public var range: IOVARange
    /// The file is to be read and written, not mapped.
    public var usesFileIO: Bool

    public init(access: DMAAccess, fileOffset: UInt64, range: IOVARange, usesFileIO: Bool = false) {
        self.access = access
        self.fileOffset = fileOffset
        self.range = range
        self.usesFileIO = usesFileIO
    }

    /// - Parameter descriptorCount: one, or none for memory that cannot be mapped.
    public static func parse(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> DMAMapMessage {
        let name = Command.dmaMap.name
        try requireLength(bytes, byteCount, of: name)
        guard descriptorCount <= 1 else { throw .descriptors(message: name, expected: 1, actual: descriptorCount) }
        try requireArgumentSize(bytes, byteCount, of: name)
        let flags = bytes.field32(at: 4)
        guard flags & ~0xf == 0, flags & (mappableFlag | fileIOFlag) == 0 || descriptorCount == 1 else {
            throw .field(message: name, name: "flags", value: UInt64(flags))
        }
        let size = bytes.field64(at: 24)
        guard let range = IOVARange(start: IOVA(bytes.field64(at: 16)), byteCount: size) else {
            throw .field(message: name, name: "size", value: size)
        }
        return DMAMapMessage(
            access: DMAAccess(rawValue: flags & 3), fileOffset: bytes.field64(at: 8), range: range, usesFileIO: flags & fileIOFlag != 0)
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(UInt32(DMAMapMessage.byteCount))
        bytes.append32(access.rawValue | (usesFileIO ? DMAMapMessage.fileIOFlag : 0))
        bytes.append64(fileOffset)
        bytes.append64(range.start.rawValue)
        bytes.append64(range.byteCount)
        return bytes
    }
}

/// VFIO_USER_DMA_UNMAP, request and reply alike. "VFIO_USER_DMA_UNMAP".
///
///     0  argsz    4  flags (0 with dirty bitmap, 1 everything)    8  address    16  size    24  page size    32  bitmap size
///     40  bitmap, in the reply
///
/// The text has flags unused; their two bits and the fields from 24 on, which bit 0 announces, are libvfio-user's
/// (include/vfio-user.h, struct vfio_user_dma_unmap and struct vfio_user_bitmap).
public struct DMAUnmapMessage: Equatable, Sendable {
    public static let byteCount = 24
    static let bitmapHeadByteCount = 16
    private static let bitmapFlag: UInt32 = 1 << 0
    private static let allFlag: UInt32 = 1 << 1

    /// nil: everything.
    public var range: IOVARange?
    /// What the reply is to say of written pages.
    public var bitmap: DirtyBitmapRequest?

    public init(range: IOVARange?, bitmap: DirtyBitmapRequest? = nil) {
        self.range = range
        self.bitmap = bitmap
    }

    public static func parse(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> DMAUnmapMessage {
        let name = Command.dmaUnmap.name
        guard bytes.count >= byteCount else { throw .length(message: name, expected: byteCount, actual: bytes.count) }
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        try requireArgumentSize(bytes, byteCount, of: name)
        let flags = bytes.field32(at: 4)
        let (start, size) = (bytes.field64(at: 8), bytes.field64(at: 16))
        switch flags {
        case allFlag:
            try requireLength(bytes, byteCount, of: name)
            guard start == 0, size == 0 else { throw .field(message: name, name: "size", value: size) }
            return DMAUnmapMessage(range: nil)
        case 0, bitmapFlag:
            guard let range = IOVARange(start: IOVA(start), byteCount: size) else { throw .field(message: name, name: "size", value: size) }
            guard flags == bitmapFlag else {
                try requireLength(bytes, byteCount, of: name)
                return DMAUnmapMessage(range: range)
            }
            try requireLength(bytes, byteCount + bitmapHeadByteCount, of: name)
            let bitmap = try DirtyBitmapRequest(
                range: range, pageByteCount: bytes.field64(at: 24), byteCount: bytes.field64(at: 32), message: name)
            return DMAUnmapMessage(range: range, bitmap: bitmap)
        default: throw .field(message: name, name: "flags", value: UInt64(flags))
        }
    }

    /// - Parameter dirty: a bitmap for ``bitmap``, in a reply.
    public func emit(dirty: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        let tail = bitmap == nil ? 0 : DMAUnmapMessage.bitmapHeadByteCount + dirty.count
        bytes.append32(UInt32(clamping: DMAUnmapMessage.byteCount + tail))
        bytes.append32(range == nil ? DMAUnmapMessage.allFlag : bitmap == nil ? 0 : DMAUnmapMessage.bitmapFlag)
        bytes.append64(range?.start.rawValue ?? 0)
        bytes.append64(range?.byteCount ?? 0)
        if let bitmap {
            bytes.append64(bitmap.pageByteCount)
            bytes.append64(bitmap.byteCount)
        }
        return bytes + dirty
    }
}
