/// What an info ioctl of VFIO answered: a fixed structure and, behind it, a chain of capabilities.
///
/// Every read is checked and gives nil past the end, so that no number in an answer can trap.
struct InfoBytes: Equatable, Sendable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var count: Int { bytes.count }

    func u16(at offset: Int) -> UInt16? { load(UInt16.self, at: offset) }
    func u32(at offset: Int) -> UInt32? { load(UInt32.self, at: offset) }
    func u64(at offset: Int) -> UInt64? { load(UInt64.self, at: offset) }

    /// Whether `byteCount` bytes from `offset` are there.
    func contains(offset: Int, byteCount: Int) -> Bool {
        offset >= 0 && byteCount >= 0 && byteCount <= count && offset <= count - byteCount
    }

    private func load<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type, at offset: Int) -> Value? {
        let size = MemoryLayout<Value>.size
        guard contains(offset: offset, byteCount: size) else { return nil }
        var value: Value = 0
        for index in 0..<size { value |= Value(bytes[offset + index]) << Value(8 * index) }
        return value
    }
}

extension [UInt8] {
    /// Appends a number as the kernel's structures hold it on x86-64 and arm64: little-endian.
    mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
        for index in 0..<MemoryLayout<Value>.size { append(UInt8(truncatingIfNeeded: value >> Value(8 * index))) }
    }
}

/// An answer that does not hold what its own fields promise.
struct MalformedInfo: Error, Equatable {
    let reason: String
}
