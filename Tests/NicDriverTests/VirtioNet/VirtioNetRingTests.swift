import DeviceMemory
import NicDriver
import NicRegisters
import Testing

/// What the driver does with rings that lie.
struct VirtioNetRingTests {
    @Test(arguments: [false, true]) func aLengthBelowTheHeaderOrBeyondTheFrameIsACountedDrop(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        bench.receiveQueue.use(0, byteCount: 0)
        bench.receiveQueue.use(1, byteCount: 11)
        bench.receiveQueue.receive(2, length: 0)
        bench.receiveQueue.receive(3, length: 1515)
        bench.receiveQueue.receive(4, length: 70000)
        bench.receiveQueue.use(5, byteCount: .max)
        bench.receiveQueue.receive(6, length: 100)
        #expect(port.receivedLengths() == [100])
        #expect(port.counters.receiveLengthErrors == 6)
        #expect(port.counters.ringViolations == 0)
        bench.receiveQueue.receive(7, length: 101)
        #expect(port.receivedLengths() == [101])
    }

    @Test func aUsedIndexThatJumpsEndsTheQueue() throws {
        let bench = try VirtioNetBench(isPacked: false)
        let port = try bench.open()
        bench.receiveQueue.setUsedIndex(65)
        #expect(port.receivedLengths() == [])
        expectBroken(port, "its used index went from 0 to 65 while it had 64 buffers")
        try expectAllBack(port, bench)
    }

    @Test func aUsedIndexThatGoesBackEndsTheQueue() throws {
        let bench = try VirtioNetBench(isPacked: false)
        let port = try bench.open()
        bench.receiveQueue.receive(0, length: 60)
        #expect(port.receivedLengths() == [60])
        bench.receiveQueue.setUsedIndex(0)
        #expect(port.receivedLengths() == [])
        expectBroken(port, "went from 1 to 0")
    }

    @Test(arguments: [(false, UInt32(64)), (false, .max), (true, 64), (true, 0xffff)])
    func anIdentifierBeyondTheRingEndsTheQueue(isPacked: Bool, id: UInt32) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        bench.receiveQueue.receive(0, length: 60)
        bench.receiveQueue.use(id, byteCount: 72)
        #expect(port.receivedLengths() == [60])
        expectBroken(port, "beyond the ring")
        try expectAllBack(port, bench)
    }

    @Test(arguments: [false, true]) func anIdentifierTwiceEndsTheQueue(isPacked: Bool) throws {
        for ids in [[0, 1, 1], [1, 1], [0, 2, 0], [2, 0, 2]] {
            let bench = try VirtioNetBench(isPacked: isPacked)
            let port = try bench.open()
            for id in ids { bench.receiveQueue.receive(id, length: 60) }
            #expect(port.receivedLengths().count == ids.count - 1, "\(ids)")
            expectBroken(port, "which it does not have")
            try expectAllBack(port, bench)
        }
    }

    @Test(arguments: [false, true]) func buffersUsedInAnyOrderAreReceivedInThatOrder(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        var random = SystemRandomNumberGenerator()
        var held = Set<UInt32>()
        for round in 0..<20 {
            let ids = (0..<64).shuffled(using: &random).prefix(40)
            for (number, id) in ids.enumerated() { bench.receiveQueue.receive(id, length: 60 + number + round) }
            var batch = port.makeBatch(capacity: 64)
            #expect(port.receive(into: &batch) == 40)
            for number in 0..<40 {
                let packet = try batch.first()
                #expect(packet.byteCount == 60 + number + round)
                let handle = packet.release()
                #expect(held.insert(handle.index).inserted, "buffer \(handle.index) was handed out twice")
                port.pool.give(handle.index)
                held.remove(handle.index)
            }
        }
        #expect(port.counters.ringViolations == 0)
        try expectAllBack(port, bench)
    }

    @Test(arguments: [false, true]) func theReceiveRingIsFullAfterEachCall(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        for number in 0..<200 {
            bench.receiveQueue.receive(number % 64, length: 60)
            #expect(port.receivedLengths() == [60])
            if isPacked {
                #expect(bench.receiveQueue.isAvailable(number + 64))
            } else {
                #expect(bench.receiveQueue.availableIndex == UInt16(number + 65))
                #expect(bench.receiveQueue.available(number + 64) == UInt16(number % 64))
            }
            #expect(bench.receiveQueue.descriptor(number % 64).byteCount == 2048)
        }
    }

    @Test(arguments: [false, true]) func aFrameOverSeveralBuffersIsDroppedWholeAndCountedOnce(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        bench.receiveQueue.receive(0, length: 2036, buffers: 3)
        bench.receiveQueue.use(1, byteCount: 2048)
        #expect(port.receivedLengths() == [])
        bench.receiveQueue.use(2, byteCount: 500)
        bench.receiveQueue.receive(3, length: 77)
        #expect(port.receivedLengths() == [77])
        #expect(port.counters.receiveLengthErrors == 1)
        #expect(port.counters.receiveErrors == 0)
    }

    @Test(arguments: [false, true]) func aFrameOverMoreBuffersThanThereAreEndsTheQueue(isPacked: Bool) throws {
        for buffers in [UInt16(65), .max] {
            let bench = try VirtioNetBench(isPacked: isPacked)
            let port = try bench.open()
            bench.receiveQueue.receive(0, length: 2036, buffers: buffers)
            #expect(port.receivedLengths() == [])
            expectBroken(port, "over \(buffers) buffers")
            try expectAllBack(port, bench)
        }
    }

    @Test(arguments: [false, true]) func aFrameInSegmentsIsCountedAsDamaged(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        bench.receiveQueue.receive(0, length: 100, segmentation: 1)
        bench.receiveQueue.receive(1, length: 100)
        #expect(port.receivedLengths() == [100])
        #expect(port.counters.receiveErrors == 1)
    }

    @Test(arguments: [false, true]) func theNumberOfBuffersIsLookedAtInFullOnesOfMergeableFrames(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        bench.receiveQueue.receive(0, length: 100, buffers: 0)
        bench.receiveQueue.receive(1, length: 101, buffers: 7)
        #expect(port.receivedLengths() == [100, 101])
        let other = try VirtioNetBench(isPacked: isPacked)
        other.device.features.remove(.mergeableBuffers)
        let without = try other.open()
        other.receiveQueue.receive(0, length: 2036, buffers: 7)
        other.receiveQueue.receive(1, length: 102)
        #expect(without.receivedLengths() == [102])
        #expect(without.counters.receiveLengthErrors == 1)
    }

    @Test(arguments: [false, true]) func anEmptyPoolKeepsFramesWaiting(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        var held = port.makeBatch(capacity: port.pool.capacity)
        while let packet = port.makePacket() { _ = held.append(packet) }
        for id in 0..<3 { bench.receiveQueue.receive(id, length: 60 + id) }
        #expect(port.receivedLengths() == [])
        #expect(port.counters.refillStarved > 0)
        held.removeAll()
        #expect(port.receivedLengths() == [60, 61, 62])
    }

    // Sending.

    @Test(arguments: [false, true]) func aTransmitRingThatNothingTakesFillsAndStops(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        var batch = try bench.frames(100, of: port)
        #expect(port.send(&batch) == 64)
        #expect(port.send(&batch) == 0)
        #expect(batch.count == 36)
    }

    @Test(arguments: [false, true]) func buffersThatWereNeverSentAndReadUsedEndTheQueue(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        let before = port.pool.freeCount
        var batch = try bench.frames(2, of: port)
        #expect(port.send(&batch) == 2)
        for id in [UInt32(0), 0, 1] { bench.transmitQueue.use(id) }
        port.reclaim()
        #expect(port.pool.freeCount == before - (isPacked ? 1 : 2))
        expectBroken(port, isPacked ? "buffer 0, which it does not have" : "while it had 2 buffers")
        var more = try bench.frames(1, of: port)
        #expect(port.send(&more) == 0)
        more.removeAll()
        try expectAllBack(port, bench)
    }

    @Test(arguments: [false, true]) func aSentIdentifierBeyondTheRingEndsTheQueue(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        var batch = try bench.frames(2, of: port)
        #expect(port.send(&batch) == 2)
        bench.transmitQueue.use(64)
        port.reclaim()
        expectBroken(port, "buffer 64, which is beyond the ring")
    }

    @Test(arguments: [false, true]) func sentBuffersComeBackInAnyOrder(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        let before = port.pool.freeCount
        for _ in 0..<5 {
            var batch = try bench.frames(64, of: port)
            #expect(port.send(&batch) == 64)
            for id in (0..<64).reversed() { bench.transmitQueue.use(UInt32(id)) }
            port.reclaim()
            #expect(port.pool.freeCount == before)
        }
        var first = try bench.frames(64, of: port)
        #expect(port.send(&first) == 64)
        // The places at the front are still in use: nothing overtakes them.
        for id in 32..<64 { bench.transmitQueue.use(UInt32(id)) }
        var second = try bench.frames(10, of: port)
        #expect(port.send(&second) == 0)
        for id in 0..<32 { bench.transmitQueue.use(UInt32(id)) }
        #expect(port.send(&second) == 10)
        #expect(port.counters.ringViolations == 0)
    }

    private func expectBroken(_ port: VirtioNetPort, _ reason: String) {
        #expect(port.counters.ringViolations == 1)
        #expect { try port.checkHealth() } throws: { "\($0)".contains(reason) }
        #expect { try port.waitForReceive(timeoutMilliseconds: 1) } throws: { "\($0)".contains(reason) }
    }

    private func expectAllBack(_ port: VirtioNetPort, _ bench: VirtioNetBench) throws {
        try port.stop()
        #expect(port.pool.freeCount == port.pool.capacity)
        #expect(bench.device.dma.count == 0)
    }
}
