import DeviceMemory
import LinuxIO
import NicModels
import Testing

@Suite struct SharedMemoryWireTests {
    let directory: WireDirectory
    let frame: TestFrame

    init() throws {
        directory = try WireDirectory()
        frame = try TestFrame()
    }

    @Test func aFrameReachesTheOtherEndAndNotItsSender() throws {
        let a = try directory.join(), b = try directory.join()
        let bytes = broadcast(64)
        a.send(frame(bytes))
        #expect(b.receive() == bytes)
        #expect(b.receive() == nil)
        #expect(a.receive() == nil)
        #expect(a.counters == counted(sent: 1))
        #expect(b.counters == counted(received: 1))
    }

    @Test func theShownFrameStaysUntilItIsDropped() throws {
        let a = try directory.join(), b = try directory.join()
        a.send(frame(broadcast(60, fill: 1)))
        a.send(frame(broadcast(61, fill: 2)))
        #expect(b.nextReceived()?.byteCount == 60)
        #expect(b.nextReceived()?.byteCount == 60)
        b.dropReceived()
        #expect(b.nextReceived()?.byteCount == 61)
        b.dropReceived()
        b.dropReceived()
        #expect(b.counters == counted(received: 2))
    }

    @Test(arguments: [14, 15, 55, 56, 57, 60, 64, 1514, 9013, 9014]) func everyFrameSizeArrivesWhole(byteCount: Int) throws {
        let a = try directory.join(), b = try directory.join()
        var random = SeededGenerator(seed: UInt64(byteCount))
        let bytes = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] + (6..<byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
        a.send(frame(bytes))
        #expect(b.receive() == bytes)
    }

    @Test(arguments: [0, 13]) func aRuntIsNotSent(byteCount: Int) throws {
        let a = try directory.join(), b = try directory.join()
        a.send(frame([UInt8](repeating: 0xff, count: byteCount)))
        #expect(b.receive() == nil)
        #expect(a.counters == counted())
    }

    @Test func sixteenEndsHearEachOther() throws {
        let ends = try (0..<16).map { _ in try directory.join() }
        #expect(ends.map(\.end) == Array(0..<16))
        for (number, end) in ends.enumerated() { end.send(frame(broadcast(60 + number, fill: UInt8(number)))) }
        for (number, end) in ends.enumerated() {
            var heard: Set<Int> = []
            while let bytes = end.receive() { heard.insert(bytes.count - 60) }
            #expect(heard == Set(0..<16).subtracting([number]))
        }
    }

    @Test func oneMoreThanAllEndsIsRefused() throws {
        let first = try directory.join()
        // The memory of so many would be a gigabyte; what makes a place taken is its lock.
        let others = try directory.hold(1..<63)
        let last = try directory.join()
        #expect(last.end == 63)
        do {
            _ = try directory.join()
            Issue.record("one end too many joined")
        } catch let error as WireError {
            #expect(error.description == "Wire w is full: all of its 64 ends are joined. Let one leave, or use another name.")
        }
        first.send(frame(broadcast(61)))
        last.send(frame(broadcast(62)))
        #expect(last.receive()?.count == 61)
        #expect(first.receive()?.count == 62)
        withExtendedLifetime(others) {}
    }

    @Test func whoComesWhileOneLeavesGetsItsPlace() throws {
        let first = try directory.join()
        let others = try directory.hold(2..<64)
        let leaving = try WirePeerProcess(directory, "w", ["echo", "1"])
        #expect(leaving.nextLine() == "joined 1")
        #expect(first.hasPeers)
        first.send(frame(broadcast(60)))
        first.flush()
        #expect(try directory.join().end == 1)
        #expect(leaving.end() == .exited(0))
        withExtendedLifetime(others) {}
    }

    @Test func anEndThatLeftCanBeTakenAgain() throws {
        let a = try directory.join()
        var b: SharedMemoryWire? = try directory.join()
        a.send(frame(broadcast(60)))
        #expect(b?.end == 1)
        b = nil
        #expect(!a.hasPeers)
        let c = try directory.join()
        #expect(c.end == 1)
        #expect(a.hasPeers)
        #expect(c.receive() == nil, "a frame for the end's last owner")
        a.send(frame(broadcast(61)))
        #expect(c.receive()?.count == 61)
    }

    @Test func framesOfAnEndThatLeftAreStillRead() throws {
        let a = try directory.join()
        var b: SharedMemoryWire? = try directory.join()
        _ = a.hasPeers
        b?.send(frame(broadcast(60)))
        b?.send(frame(broadcast(61)))
        b = nil
        #expect(!a.hasPeers)
        #expect(a.receive()?.count == 60)
        let c = try directory.join()
        c.send(frame(broadcast(62)))
        #expect(a.receive()?.count == 61)
        #expect(a.receive()?.count == 62)
    }

    @Test func twoWiresDoNotMeet() throws {
        let a = try directory.join("one"), b = try directory.join("two")
        a.send(frame(broadcast(60)))
        #expect(b.receive() == nil)
        #expect(!a.hasPeers)
    }

    @Test func aFullRingDropsAndCounts() throws {
        let a = try directory.join(), b = try directory.join()
        var sent = 0
        while a.counters.droppedFull == 0, sent < 100 {
            a.send(frame(broadcast(9014, fill: UInt8(sent))))
            sent += 1
        }
        #expect(sent == 30)
        var received = 0
        while let bytes = b.receive() {
            #expect(bytes == broadcast(9014, fill: UInt8(received)))
            received += 1
        }
        #expect(received == 29)
        #expect(a.counters == counted(sent: 30, full: 1))
        a.send(frame(broadcast(9014, fill: 77)))
        #expect(b.receive() == broadcast(9014, fill: 77))
    }

    @Test func aFullListenerDoesNotHoldOthersUp() throws {
        let a = try directory.join(), deaf = try directory.join(), c = try directory.join()
        for number in 0..<100 {
            a.send(frame(broadcast(9014, fill: UInt8(number))))
            #expect(c.receive() == broadcast(9014, fill: UInt8(number)))
        }
        #expect(a.counters.droppedFull == 71)
        #expect(deaf.counters.receivedFrames == 0)
    }

    @Test func unicastGoesOnlyToThoseWhoWantIt() throws {
        let a = try directory.join(), b = try directory.join(), c = try directory.join(), open = try directory.join()
        b.announceFilter(unicast: 0x02_00_00_00_00_0b)
        c.announceFilter(unicast: 0x02_00_00_00_00_0c)
        let toB: [UInt8] = [2, 0, 0, 0, 0, 0x0b] + [UInt8](repeating: 7, count: 54)
        a.send(frame(toB))
        #expect(b.receive() == toB)
        #expect(c.receive() == nil)
        #expect(open.receive() == toB)
        let multicast: [UInt8] = [1, 0, 0x5e, 0, 0, 1] + [UInt8](repeating: 8, count: 54)
        a.send(frame(multicast))
        #expect(b.receive() == multicast)
        #expect(c.receive() == multicast)
        c.announceFilter(unicast: nil)
        a.send(frame(toB))
        #expect(c.receive() == toB)
        #expect(a.counters.droppedFull == 0)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func seededTrafficArrivesByteForByteAcrossTheWrap(seed: UInt64) throws {
        let a = try directory.join(), b = try directory.join()
        var random = SeededGenerator(seed: seed)
        var waiting: [[UInt8]] = []
        var byteCount = 0
        for _ in 0..<2000 {
            if Bool.random(using: &random) {
                let length =
                    Bool.random(using: &random) ? Int.random(in: 14...9014, using: &random) : Int.random(in: 14...128, using: &random)
                let first = UInt8.random(in: 0...255, using: &random)
                let bytes = [UInt8](repeating: 0xff, count: 6) + (6..<length).map { first &+ UInt8(truncatingIfNeeded: $0 &* 7) }
                let full = a.counters.droppedFull
                a.send(frame(bytes))
                if a.counters.droppedFull == full { waiting.append(bytes); byteCount += length }
            } else if !waiting.isEmpty {
                let expected = waiting.removeFirst()
                #expect(b.receive() == expected, "seed \(seed)")
            }
        }
        for expected in waiting { #expect(b.receive() == expected, "seed \(seed)") }
        #expect(b.receive() == nil)
        #expect(b.counters.droppedDamaged == 0)
        #expect(byteCount > 3 * 262_144)
    }

    @Test func theLastOneToLeaveRemovesTheFile() throws {
        var a: SharedMemoryWire? = try directory.join()
        var b: SharedMemoryWire? = try directory.join()
        a = nil
        #expect(directory.exists("w"))
        b = nil
        #expect(!directory.exists("w"))
        _ = (a, b)
    }

    private func counted(sent: UInt64 = 0, received: UInt64 = 0, full: UInt64 = 0) -> WireCounters {
        var counters = WireCounters()
        counters.sentFrames = sent
        counters.receivedFrames = received
        counters.droppedFull = full
        return counters
    }
}
