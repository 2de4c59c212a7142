/// A row of a register table without its types: for dumps, for tests, and for a model's table of offsets.
public struct RegisterRow: Sendable {
    /// The datasheet's name, without an index.
    public let name: String
    /// Bytes from the start of the BAR to element 0.
    public let offset: Int
    /// Number of elements; 1 for a single register.
    public let count: Int
    /// Bytes from one element to the next.
    public let stride: Int
    /// RO, RW, WO, RC, W1C, RC/W1C.
    public let mode: String
    /// A read has no side effect, so that a dump may read it.
    public let isSafeToRead: Bool
    /// Value after a device reset; 0 where the sources give none.
    public let resetValue: UInt32
    /// Flags and fields in words.
    public let summarize: @Sendable (UInt32) -> String

    public init<Value, Access>(
        _ name: String, _ register: Register<Value, Access>, reset resetValue: UInt32 = 0, safeToRead: Bool = true
    ) {
        self.init(
            name, RegisterArray<Value, Access>(register.offset, count: 1), reset: resetValue, safeToRead: safeToRead)
    }

    public init<Value, Access>(
        _ name: String, _ array: RegisterArray<Value, Access>, reset resetValue: UInt32 = 0, safeToRead: Bool = true
    ) {
        self.name = name
        offset = array.offset
        count = array.count
        stride = array.stride
        mode = Access.mode
        isSafeToRead = safeToRead && (Access.self is ReadOnly.Type || Access.self is ReadWrite.Type)
        self.resetValue = resetValue
        summarize = { _ in "" }
    }

    public init<Value: RegisterFlags, Access>(
        _ name: String, _ register: Register<Value, Access>, reset resetValue: UInt32 = 0, safeToRead: Bool = true
    ) {
        self.init(
            name, RegisterArray<Value, Access>(register.offset, count: 1), reset: resetValue, safeToRead: safeToRead)
    }

    public init<Value: RegisterFlags, Access>(
        _ name: String, _ array: RegisterArray<Value, Access>, reset resetValue: UInt32 = 0, safeToRead: Bool = true
    ) {
        self.name = name
        offset = array.offset
        count = array.count
        stride = array.stride
        mode = Access.mode
        isSafeToRead = safeToRead && (Access.self is ReadOnly.Type || Access.self is ReadWrite.Type)
        self.resetValue = resetValue
        summarize = { Value(rawValue: $0).summary }
    }
}
