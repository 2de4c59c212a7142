/// Rows of a device's register table: an offset, with its value's type and its access in the type.
///
/// A row is a `static var` that computes its value, never a `static let`: from another module the first compiles to a
/// constant in the instruction, the second to an accessor call. Offsets are bytes from the start of the BAR.

/// How a register may be touched. The markers below are never made; they stand in types only.
public protocol RegisterAccess: Sendable {
    /// Short mode for a dump: RO, RW, WO, RC, W1C, RC/W1C.
    static var mode: String { get }
}

/// Reading gives something that means something.
public protocol ReadableAccess: RegisterAccess {}

/// Writing does something.
public protocol WritableAccess: RegisterAccess {}

/// Reads have no side effect; writes do nothing and do not compile.
public enum ReadOnly: ReadableAccess { public static var mode: String { "RO" } }

/// Reads give what was written, but for bits that the device owns.
public enum ReadWrite: ReadableAccess, WritableAccess { public static var mode: String { "RW" } }

/// What a read gives is not defined; reads do not compile.
public enum WriteOnly: WritableAccess { public static var mode: String { "WO" } }

/// A read gives the value and zeroes it.
public enum ReadClears: ReadableAccess { public static var mode: String { "RC" } }

/// A one written clears its bit, a zero leaves it.
public enum WriteOneToClear: ReadableAccess, WritableAccess { public static var mode: String { "W1C" } }

/// A read clears, and so does a one written: interrupt causes.
public enum ReadClearsOrWriteOneToClear: ReadableAccess, WritableAccess {
    public static var mode: String { "RC/W1C" }
}

/// A value that a 32-bit register holds.
public protocol RegisterValue: BitwiseCopyable, Sendable, Equatable {
    init(bits: UInt32)
    var bits: UInt32 { get }
}

extension UInt32: RegisterValue {
    @inlinable public init(bits: UInt32) { self = bits }
    @inlinable public var bits: UInt32 { self }
}

/// One 32-bit register.
@frozen
public struct Register<Value: RegisterValue, Access: RegisterAccess>: BitwiseCopyable, Sendable {
    /// Bytes from the start of the BAR.
    public let offset: Int

    @inlinable
    public init(_ offset: Int) { self.offset = offset }
}

/// A run of equal registers: one for each queue, vector or table entry.
@frozen
public struct RegisterArray<Value: RegisterValue, Access: RegisterAccess>: BitwiseCopyable, Sendable {
    /// Bytes from the start of the BAR to element 0.
    public let offset: Int
    public let count: Int
    /// Bytes from one element to the next.
    public let stride: Int

    @inlinable
    public init(_ offset: Int, count: Int, stride: Int = 4) {
        self.offset = offset
        self.count = count
        self.stride = stride
    }

    /// Element `index`. The index is the program's own, never a number that a device or guest chose: outside of the
    /// table it is a bug and stops the program.
    @inlinable
    public subscript(index: Int) -> Register<Value, Access> {
        precondition(index >= 0 && index < count, "Register index outside of the table.")
        return Register(offset &+ index &* stride)
    }

    /// The element at `byteOffset` of the BAR, or nil when none starts there. Takes any number.
    @inlinable
    public func index(atOffset byteOffset: Int) -> Int? {
        guard byteOffset >= offset else { return nil }
        let distance = byteOffset &- offset
        guard distance % stride == 0, distance / stride < count else { return nil }
        return distance / stride
    }
}
