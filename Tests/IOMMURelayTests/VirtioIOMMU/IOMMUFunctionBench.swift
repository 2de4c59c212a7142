import DeviceMemory
import DeviceModel
import LinuxIO
import Testing

@testable import IOMMURelay

/// A virtio-iommu function in this process, its scripted handler, and a guest's driver.
final class IOMMUFunctionBench: GuestFunctionAccess {
    static let start: UInt64 = 0x4000_0000
    /// Memory is mapped in pieces: the queues are in the first one.
    static let pieceByteCount = 1 << 20

    let handler: ScriptedIOMMUHandler
    let environment: DeviceEnvironment
    let memory: DMAMemory
    var function: VirtioIOMMUFunction
    private(set) var driver: GuestIOMMUDriver!
    /// Off: the device works only when a test says so.
    var worksByItself = true
    private(set) var steps = 0
    /// Writes to the page of notifications.
    private(set) var notified: [UInt64] = []

    /// - Parameter core: takes the handler's place.
    init(
        _ handler: ScriptedIOMMUHandler = ScriptedIOMMUHandler(), core: IOMMUCore? = nil,
        memoryByteCount: Int = GuestIOMMUDriver.memoryByteCount, requestsASecond: UInt64? = nil,
        clock: @escaping () -> UInt64 = MonotonicClock.nanoseconds, troubled: ((VirtioIOMMUTrouble) -> Void)? = nil
    ) throws {
        self.handler = handler
        environment = try DeviceEnvironment(for: VirtioIOMMUFunction.functionDescription())
        memory = try DMAMemory.ordinary(byteCount: memoryByteCount)
        for offset in stride(from: 0, to: memoryByteCount, by: Self.pieceByteCount) {
            let piece = try #require(IOVARange(start: IOVA(Self.start + UInt64(offset)), byteCount: UInt64(Self.pieceByteCount)))
            let window = memory.window.slice(at: offset, byteCount: Self.pieceByteCount)
            try environment.dma.map(piece, to: window, access: .readWrite)
        }
        function = try VirtioIOMMUFunction(
            handler: core ?? handler, environment: environment, requestsASecond: requestsASecond, clock: clock,
            troubled: troubled)
        driver = GuestIOMMUDriver(self, memory: memory.window, start: Self.start)
    }

    static func running(
        _ handler: ScriptedIOMMUHandler = ScriptedIOMMUHandler(), features: UInt64 = GuestIOMMUDriver.linuxFeatures
    ) throws -> IOMMUFunctionBench {
        let bench = try IOMMUFunctionBench(handler)
        try bench.driver.initialise(wanting: features)
        return bench
    }

    func readBAR(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64 { function.readRegion(bar, at: offset, byteCount: byteCount) }

    func writeBAR(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) {
        if bar == 0, offset >= 0x3000 { notified.append(offset) }
        function.writeRegion(bar, at: offset, value, byteCount: byteCount)
    }

    func readConfig(at offset: Int, byteCount: Int) -> UInt64 {
        function.configWillBeRead(at: offset, byteCount: byteCount)
        return (0..<byteCount).reduce(0) { $0 | UInt64(environment.config[offset + $1]) << UInt64(8 * $1) }
    }

    func writeConfig(at offset: Int, _ value: UInt64, byteCount: Int) {
        environment.writeConfig(at: offset, bytes: (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) })
        function.configWritten(at: offset, byteCount: byteCount)
    }

    func letWork() { if worksByItself { step() } }

    @discardableResult func step() -> Bool {
        steps += 1
        return function.progress()
    }

    var counters: VirtioIOMMUCounters { function.counters }
    var wantsPolling: Bool { function.wantsPolling }

    /// What QEMU's DEVICE_RESET does.
    func systemReset() {
        environment.resetToPowerOn()
        function.reset()
    }

    /// A vector's eventfd, to look at.
    func connect(_ kind: InterruptLines.Kind, _ vector: Int) throws -> OwnedDescriptor {
        let event = try EventFD()
        let descriptor = try OwnedDescriptor.duplicate(of: event.number)
        let isSet = environment.interrupts.set(kind, vector: vector, event: event)
        try #require(isSet)
        return descriptor
    }
}
