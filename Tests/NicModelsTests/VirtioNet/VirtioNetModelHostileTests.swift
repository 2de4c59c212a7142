import DeviceMemory
import LinuxIO
import NicRegisters
import Testing
import VirtioModel

@testable import NicModels

/// What a hostile driver writes into rings, headers and registers: told, bounded, never a trap.
@Suite struct VirtioNetModelHostileTests {
    private static let features = VirtioBench.usual.union(.indirectDescriptors)

    /// Nothing is mapped there, it is the address space's end, or the mapping ends in the middle of 64 bytes.
    private static let nowhere: [UInt64] = [0xdead_0000, .max, .max - 15, VirtioBench.start + UInt64(VirtioBench.memoryByteCount) - 16]

    /// The queue has stopped for this reason, the driver was told, and the other queues go on.
    private func expectStopped(_ bench: VirtioBench, _ violation: VirtqueueViolation, sent count: Int = 0) {
        bench.step(3)
        #expect(bench.counters.violations == 1)
        #expect(bench.counters.lastViolation == violation)
        #expect(bench.status.contains(.needsReset))
        #expect(bench.sent().count == count)
        bench.giveBuffers(1)
        #expect(throws: Never.self) { try bench.arrive(frame()) }
        bench.step()
        #expect(bench.receive.takeUsed().count == 1)
        // A reset, and all is well.
        #expect(bench.negotiate())
        #expect(!bench.status.contains(.needsReset))
    }

    private func running(packed: Bool = false) throws -> VirtioBench {
        let bench = try VirtioBench.running(packed: packed, features: Self.features)
        bench.put(VirtioNet.Header(), at: bench.buffer(0))
        bench.memory.window.store(frame(byteCount: 60), at: bench.buffer(0) + 12)
        return bench
    }

    @Test(arguments: [17, 0x8000, 0xffff])
    func anAvailableIndexThatJumpsStopsTheQueue(index: UInt16) throws {
        let bench = try running()
        bench.memory.window.store16(index, at: bench.transmit.driver + 2)
        expectStopped(bench, .availableIndex)
    }

    @Test(arguments: [16, 0xffff])
    func aHeadBeyondTheTableStopsTheQueueAfterWhatCameBefore(head: UInt16) throws {
        let bench = try running()
        bench.send(frame(byteCount: 60))
        bench.transmit.makeAvailable(head: head)
        expectStopped(bench, .descriptorIndex, sent: 1)
    }

    @Test func aNextBeyondTheTableStopsTheQueue() throws {
        let bench = try running()
        bench.transmit.storeDescriptor(0, bench.iova(bench.buffer(0)), 12, 1, 16)
        bench.transmit.makeAvailable(head: 0)
        expectStopped(bench, .descriptorIndex)
    }

    @Test(arguments: [0, 1])
    func aLoopOfDescriptorsEnds(next: UInt16) throws {
        let bench = try running()
        bench.transmit.storeDescriptor(0, bench.iova(bench.buffer(0)), 1, 1, next)
        bench.transmit.storeDescriptor(1, bench.iova(bench.buffer(0)), 1, 1, 0)
        bench.transmit.makeAvailable(head: 0)
        expectStopped(bench, .chainLength)
    }

    @Test func aLoopOfEmptyDescriptorsEnds() throws {
        let bench = try running()
        bench.transmit.storeDescriptor(0, bench.iova(bench.buffer(0)), 0, 1, 0)
        bench.transmit.makeAvailable(head: 0)
        expectStopped(bench, .chainLength)
    }

    /// Every descriptor of the ring goes on in the next.
    @Test func aPackedListWithoutEndEnds() throws {
        let bench = try running(packed: true)
        for number in 0..<16 { bench.transmit.storeDescriptor(number, bench.iova(bench.buffer(0)), 1, 0x81, 0) }
        expectStopped(bench, .chainLength)
    }

    @Test(arguments: [false, true])
    func readableBehindWritableStopsTheQueue(packed: Bool) throws {
        let bench = try running(packed: packed)
        let at = bench.buffer(0)
        bench.transmit.add([.init(at, 72), .init(at + 100, 10, isWritable: true), .init(at + 200, 10)])
        expectStopped(bench, .chainOrder)
    }

    @Test(arguments: [false, true])
    func aFrameToSendMayHaveAWritableEndThatStaysUntouched(packed: Bool) throws {
        let bench = try running(packed: packed)
        bench.memory.window.store([7, 7, 7], at: bench.buffer(1))
        bench.transmit.add([.init(bench.buffer(0), 72), .init(bench.buffer(1), 3, isWritable: true)])
        bench.step()
        #expect(bench.sent() == [frame(byteCount: 60)])
        #expect(bench.memory.window.bytes(at: bench.buffer(1), byteCount: 3) == [7, 7, 7])
        #expect(bench.transmit.takeUsed().map(\.length) == [0])
    }

    @Test(arguments: [false, true], [[0], [11], [5, 6], []] as [[Int]])
    func aFrameToSendWithoutAHeaderStopsTheQueue(packed: Bool, lengths: [Int]) throws {
        let bench = try running(packed: packed)
        let at = bench.buffer(0)
        let pieces = lengths.isEmpty ? [Piece(at, 100, isWritable: true)] : lengths.map { Piece(at, $0) }
        bench.transmit.add(pieces)
        expectStopped(bench, .tooSmall)
    }

    @Test(arguments: [false, true])
    func aReceiveBufferWithoutRoomForAHeaderStopsTheQueue(packed: Bool) throws {
        let bench = try running(packed: packed)
        bench.receive.add([.init(bench.buffer(0), 11, isWritable: true)])
        try bench.arrive(frame())
        bench.step(3)
        #expect(bench.counters.lastViolation == .tooSmall)
        #expect(bench.status.contains(.needsReset))
        // Sending goes on.
        bench.send(frame(byteCount: 60), buffer: 3)
        bench.step()
        #expect(bench.sent().count == 1)
    }

    @Test(arguments: [false, true])
    func aReadableReceiveBufferIsNotWritten(packed: Bool) throws {
        let bench = try running(packed: packed)
        bench.memory.window.slice(at: bench.buffer(0), byteCount: 2048).fill(0x55)
        bench.receive.add([.init(bench.buffer(0), 2048)])
        try bench.arrive(frame())
        bench.step(2)
        #expect(bench.memory.window.bytes(at: bench.buffer(0), byteCount: 2048).allSatisfy { $0 == 0x55 })
        #expect(bench.counters.lastViolation == .tooSmall)
    }

    // MARK: Indirect tables

    @Test(arguments: [false, true], [0, 8, 17, 24] as [UInt32])
    func aTableOfImpossibleLengthStopsTheQueue(packed: Bool, byteCount: UInt32) throws {
        let bench = try running(packed: packed)
        bench.transmit.storeDescriptor(0, bench.iova(bench.buffer(1)), byteCount, packed ? 0x84 : 4, 0)
        if !packed { bench.transmit.makeAvailable(head: 0) }
        expectStopped(bench, .chainOrder)
    }

    @Test(arguments: [false, true], Self.nowhere)
    func aTableThatCannotBeReachedStopsTheQueue(packed: Bool, address: UInt64) throws {
        let bench = try running(packed: packed)
        bench.transmit.storeDescriptor(0, address, 64, packed ? 0x84 : 4, 0)
        if !packed { bench.transmit.makeAvailable(head: 0) }
        expectStopped(bench, .unreachable)
    }

    @Test(arguments: [false, true])
    func aTableOfTheLargestSizeIsBounded(packed: Bool) throws {
        let bench = try running(packed: packed)
        bench.transmit.storeDescriptor(0, bench.iova(0), 0xffff_fff0, packed ? 0x84 : 4, 0)
        if !packed { bench.transmit.makeAvailable(head: 0) }
        expectStopped(bench, .unreachable)
    }

    @Test func aTableInATableAndALoopInATableStopTheQueue() throws {
        for (flags, next, violation) in [(4, 0, .chainOrder), (1, 0, .chainLength), (1, 1, .descriptorIndex)]
            as [(UInt16, UInt16, VirtqueueViolation)]
        {
            let bench = try running()
            bench.transmit.storeDescriptor(0, bench.iova(bench.buffer(1)), 16, 4, 0)
            bench.transmit.storeDescriptor(0, bench.iova(bench.buffer(0)), 16, flags, next, at: bench.buffer(1))
            bench.transmit.makeAvailable(head: 0)
            expectStopped(bench, violation)
        }
    }

    @Test(arguments: [false, true])
    func aTableThatIsLinkedOrWasNotNegotiatedStopsTheQueue(packed: Bool) throws {
        let linked = try running(packed: packed)
        linked.transmit.storeDescriptor(0, linked.iova(linked.buffer(1)), 16, packed ? 0x85 : 5, 1)
        if !packed { linked.transmit.makeAvailable(head: 0) }
        expectStopped(linked, .chainOrder)
        let without = try VirtioBench.running(packed: packed)
        without.transmit.storeDescriptor(0, without.iova(without.buffer(1)), 16, packed ? 0x84 : 4, 0)
        if !packed { without.transmit.makeAvailable(head: 0) }
        expectStopped(without, .chainOrder)
    }

    @Test func aPackedTableBehindAnotherDescriptorStopsTheQueue() throws {
        let bench = try running(packed: true)
        bench.transmit.storeDescriptor(1, bench.iova(bench.buffer(1)), 16, 0x84, 0)
        bench.transmit.storeDescriptor(0, bench.iova(bench.buffer(0)), 12, 0x81, 0)
        expectStopped(bench, .chainOrder)
    }

    // MARK: Addresses

    @Test(
        arguments: [false, true], Self.nowhere)
    func transmitBuffersOutsideOfMemoryStopTheQueue(packed: Bool, address: UInt64) throws {
        let bench = try running(packed: packed)
        bench.transmit.storeDescriptor(0, address, 72, packed ? 0x80 : 0, 0)
        if !packed { bench.transmit.makeAvailable(head: 0) }
        expectStopped(bench, .unreachable)
    }

    @Test(arguments: [false, true])
    func memoryThatMayNotBeWrittenIsNot(packed: Bool) throws {
        let bench = try running(packed: packed)
        let secret = try DMAMemory.ordinary(byteCount: 4096)
        let range = try #require(IOVARange(start: IOVA(0x9000_0000), byteCount: 4096))
        try bench.environment.dma.map(range, to: secret.window, access: .read)
        bench.receive.storeDescriptor(0, 0x9000_0000, 2048, packed ? 0x82 : 2, 0)
        if !packed { bench.receive.makeAvailable(head: 0) }
        try bench.arrive(frame())
        bench.step(2)
        #expect(secret.window.bytes(at: 0, byteCount: 4096).allSatisfy { $0 == 0 })
        #expect(bench.counters.lastViolation == .unreachable)
    }

    @Test(arguments: [false, true], 0..<3)
    func aPartOfARingThatIsNotThereStopsTheQueueAtOnce(packed: Bool, part: Int) throws {
        for address in [UInt64(0xdead_0000), 0xffff_ffff_ffff_fff0, 0x1000_0001] {
            let bench = try VirtioBench(packed: packed, features: Self.features)
            try #require(bench.negotiate())
            for index in [0, 2] { bench.setUpQueue(index) }
            bench.write(1, to: Virtio.Common.queueSelect)
            bench.write(16, to: Virtio.Common.queueSize)
            let fields = [Virtio.Common.queueDescriptors, Virtio.Common.queueDriver, Virtio.Common.queueDevice]
            for (index, field) in fields.enumerated() {
                bench.write(index == part ? address : bench.iova(0x4000 + 0x1000 * index), to: field)
            }
            bench.write(1, to: Virtio.Common.queueEnable)
            #expect(!bench.status.contains(.needsReset))
            bench.writeStatus(15)
            expectStopped(bench, address == 0x1000_0001 ? .layout : .unreachable)
        }
    }

    @Test(arguments: [false, true])
    func whatIsUnmappedUnderARunningQueueIsNotTouchedAgain(packed: Bool) throws {
        let bench = try running(packed: packed)
        bench.send(frame(byteCount: 60), buffer: 5)
        bench.step()
        // The ring goes, the buffers stay: only a look at the mappings can stop the queue.
        _ = bench.environment.dma.unmapAll()
        let rest = VirtioBench.memoryByteCount - VirtioBench.buffers
        let range = try #require(IOVARange(start: IOVA(bench.iova(VirtioBench.buffers)), byteCount: UInt64(rest)))
        try bench.environment.dma.map(range, to: bench.memory.window.slice(at: VirtioBench.buffers, byteCount: rest), access: .readWrite)
        bench.send(frame(byteCount: 60), buffer: 5)
        let before = bench.memory.window.bytes(at: 0, byteCount: VirtioBench.memoryByteCount)
        bench.step(3)
        _ = bench.model.armWake()
        bench.model.disarmWake()
        #expect(bench.memory.window.bytes(at: 0, byteCount: VirtioBench.memoryByteCount) == before)
        #expect(bench.sent().count == 1)
        #expect(bench.counters.lastViolation == .unreachable)
        #expect(bench.status.contains(.needsReset))
    }

    // MARK: Commands

    @Test(arguments: [false, true])
    func commandsWithoutRoomForAnswerOrClassStopTheQueue(packed: Bool) throws {
        for pieces in [[Piece(0, 3)], [Piece(0, 1), Piece(100, 1, isWritable: true)], [Piece(0, 1, isWritable: true)]] {
            let bench = try running(packed: packed)
            bench.control.add(pieces.map { .init($0.offset + bench.buffer(9), $0.byteCount, isWritable: $0.isWritable) })
            expectStopped(bench, .tooSmall)
        }
    }

    @Test(arguments: [false, true])
    func aQueueThatIsStoppedIsToldOnceByInterrupt(packed: Bool) throws {
        let bench = try running(packed: packed)
        let line = try bench.connect(.msix, 3)
        bench.write(3, to: Virtio.Common.configVector)
        bench.transmit.add([.init(bench.buffer(0), 3)])
        bench.step(5)
        #expect(line.signals() == 1)
    }

    // MARK: Anything at all

    /// Rings, tables, headers and commands of random bytes, with structure now and then so that deep places are reached.
    @Test(arguments: [false, true], 0..<24)
    func noBytesInMemoryTrapTheModel(packed: Bool, seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed) &* 7919 &+ (packed ? 1 : 0))
        let options = VirtioNetOptions(pairs: 2, offersPackedRings: packed)
        let features = VirtioNetModelHostileTests.features.union([
            .eventIndex, .guestChecksum, .multiqueue, .rss, .controlReceive, .controlReceiveExtra, .controlMACAddress, .ringReset,
        ])
        let bench = try VirtioBench.running(packed: packed, features: features, options: options, queues: Array(0..<5))
        for _ in 0..<150 {
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                let queue = Int.random(in: 0..<5, using: &random)
                let place = bench.queueArea(queue) + [0, 0, 0, 0x1000, 0x2000].randomElement(using: &random)!
                let offset = Int.random(in: 0..<64, using: &random) * 4
                let near = bench.iova(Int.random(in: 0..<VirtioBench.memoryByteCount, using: &random))
                let word =
                    switch Int.random(in: 0..<5, using: &random) {
                    case 0: random.next()
                    case 1: near
                    case 2: UInt64.random(in: 0..<0x1_0000, using: &random)
                    case 3: UInt64.random(in: 0..<2048, using: &random) | UInt64.random(in: 0..<8, using: &random) << 32
                    default: UInt64.random(in: 0..<2048, using: &random) | UInt64([0x80, 0x8000].randomElement(using: &random)!) << 48
                    }
                bench.memory.window.store64(word, at: place + offset)
            }
            if Bool.random(using: &random) {
                bench[Int.random(in: 0..<5, using: &random)].add(
                    (0..<Int.random(in: 1...4, using: &random)).map { _ in
                        .init(
                            Int.random(in: 0..<VirtioBench.memoryByteCount - 9100, using: &random),
                            Int.random(in: 0..<9100, using: &random), isWritable: Bool.random(using: &random))
                    })
            }
            try bench.arrive(frame(byteCount: Int.random(in: 14...9014, using: &random)))
            bench.step(2)
            _ = bench.sent()
            if bench.status.contains(.needsReset), Int.random(in: 0..<4, using: &random) == 0 {
                try #require(bench.negotiate())
                for index in 0..<5 { bench.setUpQueue(index) }
                bench.writeStatus(15)
            }
        }
        #expect(bench.counters.violations > 0)
    }

    @Test(arguments: 0..<12)
    func noRegisterAccessTrapsTheModel(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let bench = try VirtioBench.running(packed: seed % 2 == 1, features: Self.features.union(.ringReset))
        for _ in 0..<4000 {
            let offset = [0, 0, 0x1000, 0x2000, 0x3000].randomElement(using: &random)! + UInt64.random(in: 0..<70, using: &random)
            let byteCount = [1, 2, 4, 8].randomElement(using: &random)!
            let value = Bool.random(using: &random) ? random.next() : UInt64.random(in: 0..<300, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: _ = bench.model.readRegion(Int.random(in: 0..<6, using: &random), at: offset, byteCount: byteCount)
            case 1:
                let at = Int.random(in: 0..<256, using: &random)
                bench.writeConfig(at, [UInt8(truncatingIfNeeded: value)])
                bench.model.configWillBeRead(at: at & ~3, byteCount: 4)
            case 2: bench.step()
            default: bench.model.writeRegion(Int.random(in: 0..<2, using: &random), at: offset, value, byteCount: byteCount)
            }
        }
        _ = bench.model.readRegion(0, at: .max, byteCount: 8)
        bench.model.writeRegion(0, at: .max, .max, byteCount: 8)
        bench.model.configWillBeRead(at: .max, byteCount: .max)
        bench.model.configWritten(at: .max, byteCount: .max)
    }
}

/// A generator whose numbers follow from its seed (Steele, Lea, Flood: SplitMix64).
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
