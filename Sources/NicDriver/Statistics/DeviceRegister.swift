import NicRegisters

/// One register of a device at one moment, by its datasheet's name: `STATUS`, `RDH[0]`.
public struct DeviceRegister: Equatable, Sendable {
    public let name: String
    public let value: UInt64

    public init(_ name: String, _ value: UInt64) {
        self.name = name
        self.value = value
    }

    /// The named rows of a table, of arrays the first `elementCount` elements. Rows whose reading does something are left out.
    static func read(
        _ names: Set<String>, of rows: [RegisterRow], elementCount: Int, from registers: RegisterFile
    ) -> [DeviceRegister] {
        rows.filter { $0.isSafeToRead && names.contains($0.name) }.flatMap { row in
            (0..<min(row.count, elementCount)).map { index in
                DeviceRegister(
                    row.count > 1 ? "\(row.name)[\(index)]" : row.name, UInt64(registers.load32(at: row.offset + index * row.stride)))
            }
        }
    }
}
