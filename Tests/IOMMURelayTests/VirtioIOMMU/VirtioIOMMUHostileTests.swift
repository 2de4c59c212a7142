import DeviceMemory
import LinuxIO
import Testing
import VirtioModel

@testable import IOMMURelay

/// A guest that means harm: rings and registers with anything in them.
@Suite struct VirtioIOMMUHostileTests {
    /// What a test does to a running device's request queue before it is looked at.
    private func expectStopped(
        _ violation: VirtqueueViolation, features: UInt64 = GuestIOMMUDriver.linuxFeatures, _ harm: (IOMMUFunctionBench) throws -> Void
    ) throws {
        let bench = try IOMMUFunctionBench()
        let vector = try bench.connect(.msix, 2)
        try bench.driver.initialise(wanting: features)
        bench.driver.write(2, at: 16, byteCount: 2)
        bench.worksByItself = false
        try harm(bench)
        bench.step()
        #expect(bench.counters.lastViolation == violation)
        // DEVICE_NEEDS_RESET, and the driver was told once.
        #expect(bench.driver.status == 0x4f)
        #expect(EventFD.drain(vector.number) == 1)
        for _ in 0..<10 { #expect(!bench.step()) }
        #expect(bench.counters.violations == 1 && bench.handler.begun.isEmpty && bench.driver.requests.usedIndex == 0)
        bench.worksByItself = true
        bench.driver.reset()
        try bench.driver.initialise()
        #expect(try bench.driver.attach(endpoint: 1, domain: 1) == 0)
    }

    /// A descriptor of the request queue, and it is made available.
    private func give(
        _ bench: IOMMUFunctionBench, _ descriptors: [(address: UInt64, byteCount: Int, flags: UInt16, next: Int)], table: Int? = nil
    ) {
        let queue = bench.driver.requests
        for (number, one) in descriptors.enumerated() {
            queue.storeDescriptor(number, one.address, one.byteCount, one.flags, one.next, table: table)
        }
        queue.addHead(0)
        queue.publish()
    }

    private let start = IOMMUFunctionBench.start
    private var buffer: UInt64 { start + 0x10_0000 }
    private var outside: UInt64 { start + UInt64(GuestIOMMUDriver.memoryByteCount) }

    @Test func anIndexThatJumpsStopsTheQueue() throws {
        try expectStopped(.availableIndex) { $0.driver.requests.publish(index: 1025) }
        try expectStopped(.availableIndex) { $0.driver.requests.publish(index: 0xffff) }
    }

    @Test func descriptorsBeyondTheTableStopTheQueue() throws {
        try expectStopped(.descriptorIndex) {
            $0.driver.requests.addHead(1024)
            $0.driver.requests.publish()
        }
        try expectStopped(.descriptorIndex) { give($0, [(buffer, 20, 1, 0xffff)]) }
    }

    @Test func loopsStopTheQueue() throws {
        try expectStopped(.chainLength) { give($0, [(buffer, 20, 1, 0)]) }
        try expectStopped(.chainLength) { give($0, [(buffer, 0, 1, 1), (buffer, 0, 1, 0)]) }
        try expectStopped(.chainLength) {
            give($0, [(buffer, 20, 1, 0)], table: 0x10_0000)
            give($0, [(buffer, 16, 4, 0)])
        }
    }

    @Test func indirectTablesInTheWrongPlaceStopTheQueue() throws {
        try expectStopped(.chainOrder) { give($0, [(buffer, 0, 4, 0)]) }
        try expectStopped(.chainOrder) { give($0, [(buffer, 17, 4, 0)]) }
        try expectStopped(.chainOrder) { give($0, [(buffer, 16, 5, 1)]) }
        try expectStopped(.chainOrder, features: GuestIOMMUDriver.linuxFeatures & ~(1 << 28)) { give($0, [(buffer, 16, 4, 0)]) }
        try expectStopped(.unreachable) { give($0, [(outside - 8, 16, 4, 0)]) }
        try expectStopped(.unreachable) { give($0, [(buffer, 0xffff_fff0, 4, 0)]) }
    }

    @Test func readablePartsBehindWritableOnesStopTheQueue() throws {
        try expectStopped(.chainOrder) { give($0, [(buffer, 4, 3, 1), (buffer, 20, 0, 0)]) }
    }

    @Test func partsThatCannotBeReachedStopTheQueue() throws {
        try expectStopped(.unreachable) { give($0, [(outside - 4, 20, 1, 1), (buffer, 4, 2, 0)]) }
        try expectStopped(.unreachable) { give($0, [(.max - 3, 20, 1, 1), (buffer, 4, 2, 0)]) }
    }

    @Test func anAnswerThatCannotBeWrittenStopsTheQueue() throws {
        let bench = try IOMMUFunctionBench.running()
        let bytes = GuestIOMMURequest.detach(endpoint: 1, domain: 1)
        bench.memory.window.store(bytes, at: 0x10_0000)
        give(bench, [(buffer, 20, 1, 1), (outside, 4, 2, 0)])
        bench.step()
        #expect(bench.counters.lastViolation == .unreachable && bench.driver.requests.usedIndex == 0)
        #expect(bench.driver.status & 0x40 != 0)
    }

    /// Gigabytes of room for an answer are not filled.
    @Test func hugePartsAreNoRequest() throws {
        let bench = try IOMMUFunctionBench.running()
        bench.memory.window.store(GuestIOMMURequest.detach(endpoint: 1, domain: 1), at: 0x10_0000)
        give(bench, [(buffer, 20, 1, 1)] + (1..<1023).map { (buffer, 0xffff_ffff, 3, $0 + 1) } + [(buffer, 4, 2, 0)])
        bench.step()
        #expect(bench.driver.requests.takeUsed() == .init(id: 0, length: 0))
        #expect(bench.handler.begun.isEmpty && bench.counters.violations == 0)
    }

    @Test func ringsInMemoryThatIsNotThereStopTheQueue() throws {
        for (at, address) in [(32, outside), (40, .max - 1), (48, outside - 4), (32, start + 8)] as [(Int, UInt64)] {
            let bench = try IOMMUFunctionBench()
            try bench.driver.initialise()
            bench.driver.writeStatus(0)
            for value in [1, 3] as [UInt64] { bench.driver.writeStatus(value) }
            bench.driver.write(1, at: 8, byteCount: 4)
            bench.driver.write(1, at: 12, byteCount: 4)
            bench.driver.writeStatus(11)
            bench.driver.write(0, at: 22, byteCount: 2)
            for (field, part) in [(32, start), (40, start + 0x4000), (48, start + 0x8000)] {
                let value = field == at ? address : part
                bench.driver.write(value & 0xffff_ffff, at: field, byteCount: 4)
                bench.driver.write(value >> 32, at: field + 4, byteCount: 4)
            }
            bench.driver.write(1, at: 28, byteCount: 2)
            bench.driver.writeStatus(15)
            #expect(bench.driver.status == 0x4f, "field \(at)")
            #expect(!bench.step())
        }
    }

    @Test func memoryThatIsUnmappedUnderTheRingStopsTheQueue() throws {
        let handler = ScriptedIOMMUHandler()
        handler.looksARequest = 3
        let bench = try IOMMUFunctionBench.running(handler)
        bench.worksByItself = false
        // The request's buffer stays.
        #expect(bench.driver.buffer(1000) > IOMMUFunctionBench.pieceByteCount)
        _ = bench.driver.put(GuestIOMMURequest.detach(endpoint: 1, domain: 1), 4, slot: 1000)
        bench.driver.requests.publish()
        bench.step()
        let range = try #require(IOVARange(start: IOVA(start), byteCount: UInt64(IOMMUFunctionBench.pieceByteCount)))
        #expect(bench.environment.dma.unmap(range)?.count == 1)
        let before = bench.memory.window.bytes(at: 0, byteCount: bench.memory.byteCount)
        for _ in 0..<10 { bench.step() }
        // The handler comes to its end; nobody is answered.
        #expect(handler.isIdle && bench.driver.status & 0x40 != 0)
        #expect(bench.memory.window.bytes(at: 0, byteCount: bench.memory.byteCount) == before)
    }

    /// The memory changes between two looks: whatever is judged is what is used.
    @Test(arguments: 0..<4)
    func garbageInRingsDoesNothingBad(seed: Int) throws {
        var random = SeededNumbers(seed: UInt64(seed))
        let handler = ScriptedIOMMUHandler()
        handler.answer = { _ in (.ok, [1, 2, 3]) }
        let bench = try IOMMUFunctionBench(handler)
        bench.worksByItself = false
        try bench.driver.initialise()
        let memory = bench.memory.window
        for round in 0..<1500 {
            if round % 8 == 0 || bench.driver.status & 0x40 != 0 {
                bench.driver.reset()
                try bench.driver.initialise()
                handler.looksARequest = Int(random.next() % 3)
            }
            let queue = random.next() & 3 == 0 ? bench.driver.events : bench.driver.requests
            if random.next() & 3 == 0 { handler.faults = [.init(reason: .unknown, endpoint: 1, address: IOVA(1), access: .read)] }
            for number in 0..<8 {
                // Near the truth mostly, else anything.
                let address = random.next() & 7 == 0 ? random.next() : start + random.next() % UInt64(memory.byteCount)
                let byteCount = random.next() & 7 == 0 ? Int(random.next() & 0xffff_ffff) : Int(random.next() % 128)
                let flags = UInt16(truncatingIfNeeded: random.next() & (random.next() & 7 == 0 ? 0xffff : 7))
                let next = random.next() & 7 == 0 ? Int(random.next() & 0xffff) : Int(random.next() % 8)
                queue.storeDescriptor(number, address, byteCount, flags, next)
                memory.store64(random.next(), at: 0x10_0000 + 8 * Int(random.next() % 1024))
                memory.store8(UInt8(random.next() % 7), at: Int(random.next() % UInt64(memory.byteCount)))
            }
            for _ in 0..<(1 + random.next() % 8) {
                queue.addHead(random.next() & 7 == 0 ? UInt16(truncatingIfNeeded: random.next()) : UInt16(random.next() % 8))
            }
            if random.next() & 15 == 0 {
                queue.publish(index: UInt16(truncatingIfNeeded: random.next()))
            } else {
                queue.publish()
            }
            let begun = handler.begun.count
            for _ in 0..<3 { bench.step() }
            #expect(handler.begun.count - begun <= 3 * 64, "seed \(seed), round \(round)")
        }
        #expect(bench.counters.violations > 0 && bench.counters.unknownRequests > 0)
        bench.driver.reset()
        handler.looksARequest = 0
        try bench.driver.initialise()
        bench.worksByItself = true
        #expect(try bench.driver.attach(endpoint: 1, domain: 1) == 0, "seed \(seed)")
    }

    @Test(arguments: 0..<4)
    func garbageInRegistersDoesNothingBad(seed: Int) throws {
        var random = SeededNumbers(seed: UInt64(seed) &+ 100)
        let bench = try IOMMUFunctionBench()
        bench.worksByItself = false
        for _ in 0..<20_000 {
            let bar = Int(random.next() % 3)
            let width = [1, 2, 4, 8, 3][Int(random.next() % 5)]
            let offset = random.next() & 3 == 0 ? random.next() % 0x4000 : random.next() % 64 + [0, 0x2000][Int(random.next() % 2)]
            switch random.next() % 6 {
            case 0: _ = bench.readBAR(bar, at: offset, byteCount: width)
            case 1: bench.writeConfig(at: Int(random.next() % 4096), random.next(), byteCount: 4)
            case 2: _ = bench.readConfig(at: Int(random.next() % 4092), byteCount: 4)
            case 3: bench.step()
            default: bench.writeBAR(bar, at: offset, random.next() & 0xff_ffff, byteCount: width)
            }
        }
        bench.systemReset()
        bench.worksByItself = true
        try bench.driver.initialise()
        #expect(try bench.driver.attach(endpoint: 1, domain: 1) == 0, "seed \(seed)")
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededNumbers {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
