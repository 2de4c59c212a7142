/// Fields of virtio's configuration structures: 8, 16, 32 or 64 bits wide, little-endian, and to be accessed with exactly
/// their width, a 64-bit one as two of 32 bits (virtio "PCI Device Layout", driver requirements).

/// A value that such a field holds.
public protocol VirtioFieldValue: BitwiseCopyable, Sendable, Equatable {
    associatedtype Bits: FixedWidthInteger & UnsignedInteger & Sendable
    init(bits: Bits)
    var bits: Bits { get }
}

extension UInt8: VirtioFieldValue {
    @inlinable public init(bits: UInt8) { self = bits }
    @inlinable public var bits: UInt8 { self }
}

extension UInt16: VirtioFieldValue {
    @inlinable public init(bits: UInt16) { self = bits }
    @inlinable public var bits: UInt16 { self }
}

extension UInt32: VirtioFieldValue {}

extension UInt64: VirtioFieldValue {
    @inlinable public init(bits: UInt64) { self = bits }
    @inlinable public var bits: UInt64 { self }
}

/// One field.
@frozen
public struct VirtioField<Value: VirtioFieldValue, Access: RegisterAccess>: BitwiseCopyable, Sendable {
    /// Bytes from the start of the structure.
    public let offset: Int

    @inlinable
    public init(_ offset: Int) { self.offset = offset }

    @inlinable public var byteCount: Int { Value.Bits.bitWidth / 8 }
    /// The byte after the field: a structure has to be at least so long for it.
    @inlinable public var end: Int { offset &+ byteCount }
}

/// Whatever holds a structure: mapped memory, a trapped region, or a model's own bytes.
public protocol VirtioFieldWindow: ~Copyable {
    func load8(at offset: Int) -> UInt8
    func load16(at offset: Int) -> UInt16
    func load32(at offset: Int) -> UInt32
    func store8(_ value: UInt8, at offset: Int)
    func store16(_ value: UInt16, at offset: Int)
    func store32(_ value: UInt32, at offset: Int)
}

extension VirtioFieldWindow where Self: ~Copyable {
    /// Reads a field, its low half first if it has 64 bits: two such reads may show a mixture.
    @inlinable
    public func read<Value, Access: ReadableAccess>(_ field: VirtioField<Value, Access>) -> Value {
        let bits: UInt64 =
            switch field.byteCount {
            case 1: UInt64(load8(at: field.offset))
            case 2: UInt64(load16(at: field.offset))
            case 4: UInt64(load32(at: field.offset))
            default: UInt64(load32(at: field.offset)) | UInt64(load32(at: field.offset &+ 4)) &<< 32
            }
        return Value(bits: Value.Bits(truncatingIfNeeded: bits))
    }

    /// Writes a field, its low half first if it has 64 bits. A read-only one does not compile.
    @inlinable
    public func write<Value, Access: WritableAccess>(_ value: Value, to field: VirtioField<Value, Access>) {
        let bits = UInt64(truncatingIfNeeded: value.bits)
        switch field.byteCount {
        case 1: store8(UInt8(truncatingIfNeeded: bits), at: field.offset)
        case 2: store16(UInt16(truncatingIfNeeded: bits), at: field.offset)
        case 4: store32(UInt32(truncatingIfNeeded: bits), at: field.offset)
        default:
            store32(UInt32(truncatingIfNeeded: bits), at: field.offset)
            store32(UInt32(truncatingIfNeeded: bits &>> 32), at: field.offset &+ 4)
        }
    }
}

/// A field without its types: for tests and dumps.
public struct VirtioFieldRow: Sendable {
    public let name: String
    public let offset: Int
    public let byteCount: Int
    /// RO or RW, for the driver.
    public let mode: String

    init<Value, Access>(_ name: String, _ field: VirtioField<Value, Access>) {
        self.name = name
        offset = field.offset
        byteCount = field.byteCount
        mode = Access.mode
    }
}
