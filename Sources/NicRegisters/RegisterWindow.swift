/// A window of 32-bit registers: mapped memory, a trapped region, or a fake of a test.
///
/// A driver conforms the type that reaches its BAR; what a row allows is then checked by the compiler.
public protocol RegisterWindow: ~Copyable {
    /// One 32-bit read at `offset` bytes, never merged, repeated or left out.
    func load32(at offset: Int) -> UInt32
    /// One 32-bit write at `offset` bytes, never merged, repeated or left out.
    func store32(_ value: UInt32, at offset: Int)
}

extension RegisterWindow where Self: ~Copyable {
    /// Reads a row once.
    @inlinable
    public func read<Value, Access: ReadableAccess>(_ register: Register<Value, Access>) -> Value {
        Value(bits: load32(at: register.offset))
    }

    /// Writes a row once. A read-only row does not compile here.
    @inlinable
    public func write<Value, Access: WritableAccess>(_ value: Value, to register: Register<Value, Access>) {
        store32(value.bits, at: register.offset)
    }

    /// One read, one write. Only for plain read-write rows: on the others a read-back changes the device.
    @inlinable
    public func modify<Value>(_ register: Register<Value, ReadWrite>, _ change: (inout Value) -> Void) {
        var value = read(register)
        change(&value)
        write(value, to: register)
    }
}
