/// VFIO_USER_MIG_DATA_READ and VFIO_USER_MIG_DATA_WRITE: the stream of a device's state. Data is in a read's reply and in a
/// write's request. "VFIO_USER_MIG_DATA_READ", "VFIO_USER_MIG_DATA_WRITE".
///
///     0  argsz    4  size    8  data
public struct MigrationDataMessage: Equatable, Sendable {
    static let headByteCount = 8

    public var argumentByteCount: UInt32
    public var size: UInt32
    public var data: [UInt8]

    public init(argumentByteCount: UInt32, size: UInt32, data: [UInt8] = []) {
        self.argumentByteCount = argumentByteCount
        self.size = size
        self.data = data
    }

    /// - Parameter maximumByteCount: `max_data_xfer_size` as this side announced it.
    public static func parse(
        _ bytes: [UInt8], hasData: Bool, maximumByteCount: Int, descriptorCount: Int
    ) throws(MessageError) -> MigrationDataMessage {
        let name = "a piece of migration data"
        guard bytes.count >= headByteCount else { throw .length(message: name, expected: headByteCount, actual: bytes.count) }
        guard descriptorCount == 0 else { throw .descriptors(message: name, expected: 0, actual: descriptorCount) }
        try requireArgumentSize(bytes, headByteCount, of: name)
        let size = bytes.field32(at: 4)
        guard size > 0, UInt64(size) <= UInt64(maximumByteCount) else { throw .field(message: name, name: "size", value: UInt64(size)) }
        try requireLength(bytes, headByteCount + (hasData ? Int(size) : 0), of: name)
        return MigrationDataMessage(
            argumentByteCount: bytes.field32(at: 0), size: size, data: Array(bytes.dropFirst(headByteCount)))
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(argumentByteCount)
        bytes.append32(size)
        return bytes + data
    }
}
