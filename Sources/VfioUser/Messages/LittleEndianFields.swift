/// Little-endian fields of bytes whose length the caller has checked: offsets are constants of a message's layout.
extension Array where Element == UInt8 {
    func field16(at offset: Int) -> UInt16 { UInt16(self[offset]) | UInt16(self[offset + 1]) << 8 }
    func field32(at offset: Int) -> UInt32 { UInt32(field16(at: offset)) | UInt32(field16(at: offset + 2)) << 16 }
    func field64(at offset: Int) -> UInt64 { UInt64(field32(at: offset)) | UInt64(field32(at: offset + 4)) << 32 }

    mutating func append16(_ value: UInt16) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }
    mutating func append32(_ value: UInt32) {
        append16(UInt16(truncatingIfNeeded: value))
        append16(UInt16(truncatingIfNeeded: value >> 16))
    }
    mutating func append64(_ value: UInt64) {
        append32(UInt32(truncatingIfNeeded: value))
        append32(UInt32(truncatingIfNeeded: value >> 32))
    }

    /// Writes a field over bytes that are there.
    mutating func store<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value, at offset: Int) {
        for index in 0..<(Value.bitWidth / 8) { self[offset + index] = UInt8(truncatingIfNeeded: value &>> Value(index * 8)) }
    }

    /// The bytes as one number, the first the lowest; at most 8.
    var littleEndianValue: UInt64 {
        var value: UInt64 = 0
        for index in 0..<Swift.min(count, 8) { value |= UInt64(self[index]) << (UInt64(index) * 8) }
        return value
    }

    /// The lowest `count` bytes of a number, the lowest first.
    init(littleEndian value: UInt64, byteCount: Int) {
        self.init(repeating: 0, count: byteCount)
        for index in 0..<byteCount { self[index] = UInt8(truncatingIfNeeded: value >> (UInt64(index) * 8)) }
    }
}

/// A payload of exactly `expected` bytes, or an error that names the message.
func requireLength(_ bytes: [UInt8], _ expected: Int, of message: String) throws(MessageError) {
    guard bytes.count == expected else { throw .length(message: message, expected: expected, actual: bytes.count) }
}

/// argsz, the first field of many messages: at least the fixed part ("Message sizes").
func requireArgumentSize(_ bytes: [UInt8], _ least: Int, of message: String) throws(MessageError) {
    let argsz = bytes.field32(at: 0)
    guard argsz >= UInt32(least) else { throw .field(message: message, name: "argsz", value: UInt64(argsz)) }
}
