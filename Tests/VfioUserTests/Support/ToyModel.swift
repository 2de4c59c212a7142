import DeviceMemory
import DeviceModel
import LinuxIO
import Synchronization

@testable import VfioUser

/// A small device: registers that make it do DMA and interrupts, and two doorbell pages.
struct ToyModel: DeviceModel, ~Copyable {
    static let identity: UInt64 = 0x1234_5678
    enum Offset {
        static let identity: UInt64 = 0x00
        static let scratch: UInt64 = 0x08
        static let address: UInt64 = 0x10
        static let length: UInt64 = 0x18
        static let pattern: UInt64 = 0x20
        static let command: UInt64 = 0x28
        static let status: UInt64 = 0x30
        static let vector: UInt64 = 0x38
        static let doorbells: UInt64 = 0x40
        static let resets: UInt64 = 0x48
        static let sum: UInt64 = 0x50
        static let polling: UInt64 = 0x58
        static let configWrites: UInt64 = 0x60
    }
    enum Command { static let fill: UInt64 = 1, sum: UInt64 = 2, msix: UInt64 = 3, intx: UInt64 = 4, copy: UInt64 = 5 }
    static let firstDoorbell = 0x2000, secondDoorbell = 0x3000

    let environment: DeviceEnvironment
    var registers: [UInt64: UInt64] = [:]
    var seenDoorbells: [UInt32] = [0, 0]
    var resets: UInt64 = 0

    static var function: FunctionDescription {
        var config = [UInt8](repeating: 0, count: 256)
        config[0] = 0x86; config[1] = 0x80; config[2] = 0xd3; config[3] = 0x10
        config[6] = 0x10
        config[0x34] = 0x40
        config[0x40] = 0x10
        var writable = [UInt8](repeating: 0, count: 256)
        writable[4] = 0xff
        for index in 0x10..<0x14 { writable[index] = 0xff }
        let bar = BARDescription(byteCount: 0x4000, memoryAreas: [0x2000..<0x3000, 0x3000..<0x4000], notifyRegisters: [0x2000, 0x3000])
        return FunctionDescription(
            config: config, writableConfigBits: writable, bars: [bar, nil, BARDescription(byteCount: 0x20, isIO: true), nil, nil, nil],
            msixVectorCount: 5, msiVectorCount: 0, hasINTx: true)
    }

    var function: FunctionDescription { ToyModel.function }
    var wantsPolling: Bool { registers[Offset.polling, default: 0] != 0 }

    init(environment: DeviceEnvironment, canBeSaved: Bool = true) {
        self.environment = environment
        self.canBeSaved = canBeSaved
    }

    mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 {
        guard bar == 0 else { return 0 }
        switch offset {
        case Offset.identity: return ToyModel.identity
        case Offset.resets: return resets
        default: return registers[offset, default: 0]
        }
    }

    mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        guard bar == 0 else { return }
        registers[offset] = value
        if offset == Offset.command { run(value) }
    }

    private mutating func run(_ command: UInt64) {
        let address = IOVA(registers[Offset.address, default: 0])
        let length = Int(truncatingIfNeeded: registers[Offset.length, default: 0] & 0xffff)
        switch command {
        case Command.fill:
            guard let window = environment.dma.translate(address, byteCount: length, access: .write) else { return fault() }
            window.fill(UInt8(truncatingIfNeeded: registers[Offset.pattern, default: 0]))
            registers[Offset.status] = 1
        case Command.sum:
            guard let window = environment.dma.translate(address, byteCount: length, access: .read) else { return fault() }
            registers[Offset.sum] = window.bytes(at: 0, byteCount: length).reduce(0) { $0 &+ UInt64($1) }
            registers[Offset.status] = 1
        case Command.copy:
            // From `address` to one past its end: through memory of our own, as a model that cannot map it does.
            guard let memory = try? DMAMemory.ordinary(byteCount: max(length, 1)), let target = address.advanced(by: UInt64(length)),
                environment.dma.read(address, byteCount: length, to: memory.window, at: 0),
                environment.dma.write(target, byteCount: length, from: memory.window, at: 0)
            else { return fault() }
            registers[Offset.status] = 1
        case Command.msix: environment.interrupts.trigger(.msix, vector: Int(truncatingIfNeeded: registers[Offset.vector, default: 0]))
        case Command.intx: environment.interrupts.trigger(.intx, vector: 0)
        default: break
        }
    }

    private mutating func fault() { registers[Offset.status] = 2 }

    mutating func configWritten(at offset: Int, byteCount: Int) { registers[Offset.configWrites, default: 0] += 1 }

    /// A byte that counts how often it was read.
    mutating func configWillBeRead(at offset: Int, byteCount: Int) {
        if offset <= 0x80, 0x80 - offset < byteCount { environment.config[0x80] &+= 1 }
    }

    mutating func reset() {
        registers = [:]
        seenDoorbells = [0, 0]
        resets += 1
    }

    mutating func progress() -> Bool {
        var worked = false
        for (index, area) in environment.memoryAreas(of: 0).enumerated() {
            let value = area.window.load32(at: 0)
            guard value != seenDoorbells[index] else { continue }
            seenDoorbells[index] = value
            registers[Offset.doorbells, default: 0] += 1
            worked = true
        }
        return worked
    }

    let canBeSaved: Bool

    /// Its scratch register.
    func saveState() -> [UInt8]? { [0x55] + [UInt8](littleEndian: registers[Offset.scratch, default: 0], byteCount: 8) }

    mutating func loadState(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == 9, bytes[0] == 0x55 else { return false }
        registers[Offset.scratch] = Array(bytes.dropFirst()).littleEndianValue
        return true
    }

    mutating func armWake() -> Int32? { nil }
    mutating func disarmWake() {}
}
