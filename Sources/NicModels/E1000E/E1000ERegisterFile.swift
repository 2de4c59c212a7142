import DeviceMemory
import NicRegisters

/// The trapped registers' values: what the table's rows say, at their offsets. Side effects are the model's.
struct E1000ERegisterFile: RegisterWindow {
    /// All rows lie below; in whole pages.
    static let byteCount = 0x6000

    private let window: MemoryWindow
    private let rows: [RegisterRow]
    /// For each word whether it may be read and written.
    private let access: [Access]

    struct Access: OptionSet {
        let rawValue: UInt8
        static let read = Access(rawValue: 1)
        static let write = Access(rawValue: 2)
    }

    /// - Parameter rows: of the family's table, all below ``byteCount``.
    init(window: MemoryWindow, rows: [RegisterRow] = E1000E.allRows) {
        self.window = window
        self.rows = rows
        var access = [Access](repeating: [], count: E1000ERegisterFile.byteCount / 4)
        for row in rows {
            let mode: Access =
                switch row.mode {
                case "RO", "RC": .read
                case "WO": .write
                default: [.read, .write]
                }
            for index in 0..<row.count { access[(row.offset + index * row.stride) / 4] = mode }
        }
        self.access = access
    }

    func reset() {
        window.fill(0)
        for row in rows where row.resetValue != 0 {
            for index in 0..<row.count { store32(row.resetValue, at: row.offset + index * row.stride) }
        }
    }

    /// Whether a row with that access starts at `offset`, a multiple of 4; safe for any number.
    func allows(_ wanted: Access, at offset: Int) -> Bool {
        offset >= 0 && offset < E1000ERegisterFile.byteCount && access[offset >> 2].contains(wanted)
    }

    func load32(at offset: Int) -> UInt32 { window.load32(at: offset) }
    func store32(_ value: UInt32, at offset: Int) { window.store32(value, at: offset) }
}

/// The two register pages that are plain memory for driver and model alike: rings and what lies around them. They are the
/// same in all families.
struct E1000ESharedRegisters: RegisterWindow {
    /// Bytes of BAR 0, whole pages.
    static var range: Range<UInt64> {
        UInt64(E1000E.rdbal[0].offset & ~0xfff)..<UInt64(E1000E.tdbal[0].offset & ~0xfff) + 0x1000
    }

    let window: MemoryWindow
    private static var start: Int { Int(range.lowerBound) }

    init(_ window: MemoryWindow) { self.window = window }

    func reset(rows: [RegisterRow] = E1000E.allRows) {
        window.fill(0)
        for row in rows where row.resetValue != 0 && Self.range.contains(UInt64(row.offset)) {
            for index in 0..<row.count { store32(row.resetValue, at: row.offset + index * row.stride) }
        }
    }

    @inline(__always) func load32(at offset: Int) -> UInt32 { window.load32(at: offset &- Self.start) }
    @inline(__always) func store32(_ value: UInt32, at offset: Int) { window.store32(value, at: offset &- Self.start) }
}
