/// VFIO_USER_REGION_WRITE_MULTI: many small writes in one message; the reply says how many were done.
/// "VFIO_USER_REGION_WRITE_MULTI", "Single Device Write Format".
///
///     0  number of writes    8  each: 0 offset, 8 region, 12 count (8 at most), 16 data (8 bytes, whatever count says)
public struct RegionWriteMultiMessage: Equatable, Sendable {
    static let headByteCount = 8
    static let writeByteCount = 24

    /// Each with 1 to 8 bytes of data.
    public var writes: [RegionAccessMessage]

    public init(writes: [RegionAccessMessage]) { self.writes = writes }

    public static func parse(_ bytes: [UInt8], descriptorCount: Int) throws(MessageError) -> RegionWriteMultiMessage {
        let name = Command.regionWriteMulti.name
        guard bytes.count >= headByteCount else { throw .length(message: name, expected: headByteCount, actual: bytes.count) }
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        let count = bytes.field64(at: 0)
        // Judged before it is multiplied: a message has one MiB and a bit.
        guard count <= UInt64((bytes.count - headByteCount) / writeByteCount) else {
            throw .field(message: name, name: "wr_cnt", value: count)
        }
        try requireLength(bytes, headByteCount + Int(count) * writeByteCount, of: name)
        var writes: [RegionAccessMessage] = []
        writes.reserveCapacity(Int(count))
        for at in stride(from: headByteCount, to: bytes.count, by: writeByteCount) {
            let size = bytes.field32(at: at + 12)
            guard (1...8).contains(size) else { throw .field(message: name, name: "count", value: UInt64(size)) }
            writes.append(
                RegionAccessMessage(
                    offset: bytes.field64(at: at), region: bytes.field32(at: at + 8), count: size,
                    data: Array(bytes[(at + 16)..<(at + 16 + Int(size))])))
        }
        return RegionWriteMultiMessage(writes: writes)
    }

    public func emit() -> [UInt8] {
        var bytes = RegionWriteMultiMessage.reply(done: writes.count)
        for write in writes {
            bytes += RegionAccessMessage(offset: write.offset, region: write.region, count: write.count).emit()
            bytes += write.data + [UInt8](repeating: 0, count: 8 - write.data.count)
        }
        return bytes
    }

    public static func reply(done: Int) -> [UInt8] { [UInt8](littleEndian: UInt64(done), byteCount: headByteCount) }
}
