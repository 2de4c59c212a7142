import CopyEngine
import DeviceAccess
import DeviceMemory
import DeviceModel
import LinuxIO
import Synchronization
import Testing
import VfioUser

/// The example model, served at a socket and driven through it as any driver would.
@Suite struct CopyEngineTests {
    private typealias Register = CopyEngineRegisters.Offset

    @Test func configSpaceTellsWhatItIs() throws {
        let bench = try EngineBench()
        #expect(try bench.device.readConfig(at: 0, byteCount: 4) == 0xc0b1_1234)
        #expect(try bench.device.readRegion(0, at: Register.identity, byteCount: 4) == UInt64(CopyEngineRegisters.identity))
        #expect(try bench.device.interruptCount(.msix) == 1 && bench.device.interruptCount(.intx) == 0)
        #expect(try bench.device.mapAreas(of: 0).map(\.offset) == [CopyEngine.Place.doorbell])
    }

    @Test func jobsAreDoneInOrderAndTheLastOneInterrupts() throws {
        let bench = try EngineBench()
        try bench.enable()
        // More than the ring holds: three rounds of eight.
        for round in 0..<3 {
            for index in 0..<8 {
                let from = bench.data + UInt64(index * 0x1000), to = bench.data + 0x10000 + UInt64(index * 0x1000)
                bench.memory.window.store([UInt8](repeating: UInt8(round * 8 + index + 1), count: 100), at: 0x1000 + index * 0x1000)
                bench.put(CopyJob(source: IOVA(from), target: IOVA(to), byteCount: 100, wantsInterrupt: index == 7))
            }
            #expect(bench.waitForInterrupt())
            #expect(bench.outcomes() == [UInt32](repeating: CopyJob.Outcome.done.rawValue, count: 8))
            for index in 0..<8 {
                #expect(
                    bench.memory.window.bytes(at: 0x11000 + index * 0x1000, byteCount: 101).map(Int.init).reduce(0, +)
                        == (round * 8 + index + 1) * 100)
            }
        }
        #expect(try bench.device.readRegion(0, at: Register.completed, byteCount: 4) == 24)
        #expect(bench.interrupts.drain() == 0, "one interrupt a round")
    }

    @Test func whatADriverMayNotDoIsAnOutcomeOfItsJob() throws {
        let bench = try EngineBench()
        try bench.enable()
        let nowhere = IOVA(1 << 40), good = IOVA(bench.data)
        bench.put(CopyJob(source: nowhere, target: good, byteCount: 1, wantsInterrupt: false))
        bench.put(CopyJob(source: good, target: IOVA(.max), byteCount: 8, wantsInterrupt: false))
        bench.put(CopyJob(source: good, target: good, byteCount: .max, wantsInterrupt: false))
        bench.put(CopyJob(source: good, target: good, byteCount: 0, wantsInterrupt: true))
        #expect(bench.waitForInterrupt())
        #expect(bench.outcomes().prefix(4) == [2, 2, 3, 1])
    }

    @Test func aDoorbellBeyondTheRingStopsTheEngineUntilItIsEnabledAgain() throws {
        let bench = try EngineBench()
        try bench.enable()
        bench.ring(9)
        #expect(bench.waitForInterrupt())
        #expect(try bench.device.readRegion(0, at: Register.status, byteCount: 4) == 1)
        #expect(try bench.device.readRegion(0, at: Register.control, byteCount: 4) == 0)
        try bench.enable()
        #expect(try bench.device.readRegion(0, at: Register.status, byteCount: 4) == 0)
        bench.put(CopyJob(source: IOVA(bench.data), target: IOVA(bench.data), byteCount: 4, wantsInterrupt: true))
        #expect(bench.waitForInterrupt())
    }

    @Test func withoutBusMasteringAndAfterAnUnmapThereIsNoDMA() throws {
        let bench = try EngineBench()
        try bench.enable()
        try bench.device.writeConfig(0x2, at: 4, byteCount: 2)
        bench.put(CopyJob(source: IOVA(bench.data), target: IOVA(bench.data), byteCount: 4, wantsInterrupt: true))
        #expect(!bench.waitForInterrupt(milliseconds: 100))
        #expect(bench.outcomes()[0] == 0)
        try bench.device.unmap(bench.range)
        try bench.device.writeConfig(0x6, at: 4, byteCount: 2)
        #expect(bench.waitForInterrupt())
        #expect(try bench.device.readRegion(0, at: Register.status, byteCount: 4) == 1)
        #expect(bench.outcomes()[0] == 0)
    }

    @Test(arguments: [false, true]) func aResetForgetsEverything(byFunction: Bool) throws {
        let bench = try EngineBench()
        try bench.enable()
        if byFunction {
            try bench.device.writeConfig(0x8000, at: CopyEngine.Place.pciExpress + 8, byteCount: 2)
        } else {
            try bench.device.reset()
        }
        for register in [Register.ringLow, Register.control, Register.completed] {
            #expect(try bench.device.readRegion(0, at: register, byteCount: 4) == 0)
        }
        #expect(try bench.device.readConfig(at: 4, byteCount: 2) == 0)
        try bench.enable()
        bench.put(CopyJob(source: IOVA(bench.data), target: IOVA(bench.data), byteCount: 4, wantsInterrupt: true))
        #expect(bench.waitForInterrupt(), "mappings and eventfds stay")
    }

    @Test func registersThatAHostileDriverWritesAreKeptInTheirBounds() throws {
        let bench = try EngineBench()
        for count: UInt64 in [0, 3, 2048, 0xffff_ffff] {
            try bench.device.writeRegion(0, at: Register.jobCount, count, byteCount: 4)
            #expect(try bench.device.readRegion(0, at: Register.jobCount, byteCount: 4) == 1)
        }
        for byteCount in [1, 2, 8] { try bench.device.writeRegion(0, at: Register.control, 1, byteCount: byteCount) }
        #expect(try bench.device.readRegion(0, at: Register.control, byteCount: 4) == 0)
        // A ring at the end of the address space.
        try bench.device.writeRegion(0, at: Register.ringLow, 0xffff_ffff, byteCount: 4)
        try bench.device.writeRegion(0, at: Register.ringHigh, 0xffff_ffff, byteCount: 4)
        try bench.device.writeRegion(0, at: Register.jobCount, 8, byteCount: 4)
        try bench.device.writeConfig(0x6, at: 4, byteCount: 2)
        try bench.device.writeRegion(0, at: Register.control, 1, byteCount: 4)
        bench.ring(8)
        #expect(bench.waitForInterrupt())
        #expect(try bench.device.readRegion(0, at: Register.status, byteCount: 4) == 1)
    }
}

/// A served engine and a driver's side: a ring of eight jobs in the first page of its memory, data behind.
private final class EngineBench {
    let device: VfioUserDevice
    let memory: DMAMemory
    let range: IOVARange
    let interrupts: EventFD
    var data: UInt64 { range.start.rawValue + 0x1000 }
    private let server: ServedEngine
    private let doorbell: MappedArea
    private var count: UInt32 = 0

    init() throws {
        server = try ServedEngine()
        device = try VfioUserDevice(url: "vfio-user:\(server.path)", socketPath: server.path)
        memory = try DMAMemory.ordinary(byteCount: 1 << 20)
        range = try #require(IOVARange(start: IOVA(1 << 32), byteCount: 1 << 20))
        interrupts = try EventFD()
        doorbell = try #require(try device.mapAreas(of: 0).first)
        try device.map(memory, at: range.start, access: .readWrite)
        try device.enableInterrupts(.msix, eventfds: [interrupts.number])
    }

    func enable() throws {
        try device.writeConfig(0x6, at: 4, byteCount: 2)
        try device.writeRegion(0, at: CopyEngineRegisters.Offset.ringLow, range.start.rawValue & 0xffff_ffff, byteCount: 4)
        try device.writeRegion(0, at: CopyEngineRegisters.Offset.ringHigh, range.start.rawValue >> 32, byteCount: 4)
        try device.writeRegion(0, at: CopyEngineRegisters.Offset.jobCount, 8, byteCount: 4)
        try device.writeRegion(0, at: CopyEngineRegisters.Offset.control, 1, byteCount: 4)
        count = 0
    }

    /// Into the ring, and the doorbell. Nobody waits for a free slot: tests put eight at most.
    func put(_ job: CopyJob) {
        job.store(in: memory.window, at: Int(count % 8) * CopyJob.byteCount)
        count &+= 1
        ring(count)
    }

    func ring(_ value: UInt32) { doorbell.window.storeRelease32(value, at: 0) }

    func outcomes() -> [UInt32] { (0..<8).map { memory.window.loadAcquire32(at: $0 * CopyJob.byteCount + 24) } }

    func waitForInterrupt(milliseconds: Int32 = 5000) -> Bool {
        _ = waitForEvents([PollRequest(interrupts.number, .readable)], timeoutMilliseconds: milliseconds)
        return interrupts.drain() > 0
    }
}

/// A thread that serves one engine until its owner goes.
private final class ServedEngine {
    let path = "/tmp/unic-copy-\(processIdentifier)-\(UInt32.random(in: 0 ... .max)).sock"
    private var thread: WorkerThread<Void>?
    private let control: ServerControl

    init() throws {
        let started = Started()
        let path = path
        let thread = try WorkerThread {
            do {
                let environment = try DeviceEnvironment(for: CopyEngine.functionDescription)
                let engine = try CopyEngine(environment: environment)
                let server = try VfioUserServer(model: engine, environment: environment, socketPath: path)
                try server.serve { started.control.withLock { $0 = server.control } }
            } catch { Issue.record("\(error)") }
        }
        let deadline = Deadline(afterMilliseconds: 10_000)
        while started.control.withLock({ $0 == nil }), !deadline.hasPassed { sleepMicroseconds(500) }
        control = try #require(started.control.withLock { $0 })
        self.thread = consume thread
    }

    private final class Started: Sendable { let control = Mutex<ServerControl?>(nil) }

    deinit {
        control.stop()
        thread.take()?.join()
    }
}
