import DeviceMemory
import DeviceModel
import LinuxIO

/// What a test sees of a ``ToyModel`` that a device took over.
final class ToyLog {
    var configWrites: [(offset: Int, byteCount: Int)] = []
    var barWrites: [(bar: Int, offset: UInt64, value: UInt64, byteCount: Int)] = []
    var resets = 0
    var armed = 0
    var disarmed = 0
    var ended = false
}

/// A function with one 16 KiB BAR, whose second page is mapped memory: a count written there is added to a number in DMA
/// memory, and vector 0 is triggered.
struct ToyModel: ~Copyable, DeviceModel {
    let environment: DeviceEnvironment
    let log: ToyLog
    static let target = IOVA(0x20_0000)

    static var description: FunctionDescription {
        var config = [UInt8](repeating: 0, count: 256)
        config[0] = 0x86
        config[1] = 0x80
        var writable = [UInt8](repeating: 0, count: 256)
        writable[4] = 0x07
        writable[0x3c] = 0xff
        return FunctionDescription(
            config: config, writableConfigBits: writable,
            bars: [BARDescription(byteCount: 0x4000, memoryAreas: [0x1000..<0x2000]), nil, nil, nil, nil, nil], msixVectorCount: 2,
            msiVectorCount: 0, hasINTx: true)
    }

    var function: FunctionDescription { ToyModel.description }

    mutating func readRegion(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 { offset &* 3 &+ UInt64(byteCount) }
    mutating func writeRegion(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        log.barWrites.append((bar, offset, value, byteCount))
    }
    mutating func configWritten(at offset: Int, byteCount: Int) { log.configWrites.append((offset, byteCount)) }
    /// A byte that counts how often it was read.
    mutating func configWillBeRead(at offset: Int, byteCount: Int) {
        if offset <= 0x80, 0x80 - offset < byteCount { environment.config[0x80] &+= 1 }
    }
    mutating func reset() { log.resets += 1 }

    mutating func progress() -> Bool {
        guard let page = environment.memoryAreas(of: 0).first?.window else { return false }
        let count = page.load32(at: 0)
        guard count != 0, let memory = environment.dma.translate(ToyModel.target, byteCount: 8, access: .readWrite) else { return false }
        page.store32(0, at: 0)
        memory.store64(memory.load64(at: 0) &+ UInt64(count), at: 0)
        environment.interrupts.trigger(.msix, vector: 0)
        environment.interrupts.trigger(.intx, vector: 0)
        return true
    }

    var wantsPolling: Bool { true }
    mutating func armWake() -> Int32? { log.armed += 1; return 0 }
    mutating func disarmWake() { log.disarmed += 1 }
    deinit { log.ended = true }
}
