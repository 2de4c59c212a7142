import NicRegisters

/// A function's statistics registers count on past 2^32 and are cleared by nobody: what each grew since the last look is
/// added up. A counter that wraps twice between two looks loses 2^32; of bytes at 1 Gb/s that takes 34 s.
struct IgbvfStatistics {
    private(set) var counters = DeviceCounters()
    private var last: [UInt32]

    private static let registers = [Igbvf.vfgprc, Igbvf.vfgptc, Igbvf.vfgorc, Igbvf.vfgotc]
    private static var fields: [WritableKeyPath<DeviceCounters, UInt64>] {
        [\.receivedFrames, \.sentFrames, \.receivedBytes, \.sentBytes]
    }

    /// Counts from what the registers hold now.
    init(_ registers: RegisterFile) { last = Self.registers.map { registers.read($0) } }

    /// Goes on with a function that is as new.
    mutating func restart(_ registers: RegisterFile) { last = Self.registers.map { registers.read($0) } }

    mutating func update(_ registers: RegisterFile) {
        for (index, register) in Self.registers.enumerated() {
            let now = registers.read(register)
            counters[keyPath: Self.fields[index]] &+= UInt64(now &- last[index])
            last[index] = now
        }
    }
}
