import DeviceMemory
import DeviceModel
import NicModels
import NicRegisters
import Testing

/// What a hostile or broken driver writes: counted, bounded, never a trap.
@Suite struct E1000EModelHostileTests {
    @Test func withoutBusMasterNothingIsTouched() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.startTransmit()
        bench.putFrame(frame(), at: 0)
        bench.write(1, to: E1000E.tdt[0])
        bench.setCommand(0x0002)
        try bench.arrive(frame())
        bench.step(3)
        #expect(bench.sent().isEmpty)
        #expect(bench.received(0).word1 == 0)
        #expect(bench.read(E1000E.tdh[0]) == 0)
    }

    @Test(arguments: [(8, 0, 9), (8, 9, 0), (0, 0, 1), (8, 0xffff, 0xfffe)])
    func headAndTailOutsideOfTheRingStopIt(count: Int, head: UInt32, tail: UInt32) throws {
        let bench = try Bench()
        bench.startReceive()
        bench.startTransmit(count: count)
        bench.putFrame(frame(), at: 0)
        for (h, t, l) in [(E1000E.tdh[0], E1000E.tdt[0], E1000E.tdlen[0]), (E1000E.rdh[0], E1000E.rdt[0], E1000E.rdlen[0])] {
            bench.mapped.store32(UInt32(count * 16), at: l.offset - 0x2000)
            bench.mapped.store32(head, at: h.offset - 0x2000)
            bench.mapped.store32(tail, at: t.offset - 0x2000)
        }
        try bench.arrive(frame())
        bench.step(3)
        #expect(bench.sent().isEmpty)
        #expect(bench.counters.framesReceived == 0)
        #expect(bench.counters.badRings > 0)
    }

    @Test func everyBitOfTheMappedPagesSetDoesNoHarm() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.startTransmit()
        bench.mapped.fill(0xff)
        try bench.arrive(frame())
        bench.step(5)
        #expect(bench.sent().isEmpty)
    }

    @Test func aRingOutsideOfMappedMemoryStandsStill() throws {
        let bench = try Bench()
        bench.startTransmit()
        bench.write(0x1, to: E1000E.tdbah[0])
        bench.write(4, to: E1000E.tdt[0])
        #expect(!bench.step())
        #expect(bench.read(E1000E.tdh[0]) == 0)
        #expect(bench.counters.dmaFaults == 1)
    }

    /// Hardware asks once: it is no storm of faults, and the ring goes on when it is mapped, or when the driver changes it.
    @Test func aRingThatIsNotThereIsAskedForOnceUntilSomethingChanges() throws {
        let bench = try Bench()
        bench.startTransmit()
        bench.write(0x1, to: E1000E.tdbah[0])
        bench.write(1, to: E1000E.tdt[0])
        bench.step(1000)
        #expect(bench.counters.dmaFaults == 1)
        bench.write(2, to: E1000E.tdt[0])
        bench.step(1000)
        #expect(bench.counters.dmaFaults == 2)
        bench.putFrame(frame(), at: 0)
        bench.putFrame(frame(first: 9), at: 1)
        let range = try #require(
            IOVARange(start: IOVA(1 << 32 | bench.iova(0)), byteCount: UInt64(bench.memory.byteCount)))
        try bench.environment.dma.map(range, to: bench.memory.window, access: .readWrite)
        bench.step()
        #expect(bench.sent() == [frame(), frame(first: 9)])
        #expect(bench.counters.dmaFaults == 2)
    }

    @Test func aRingAtTheTopOfTheAddressSpaceIsImpossible() throws {
        let bench = try Bench()
        bench.startTransmit()
        bench.write(0xffff_fff0, to: E1000E.tdbal[0])
        bench.write(0xffff_ffff, to: E1000E.tdbah[0])
        bench.write(4, to: E1000E.tdt[0])
        #expect(!bench.step())
        #expect(bench.counters.badRings == 1)
    }

    @Test func aRingThatLeavesItsMappingFaultsAtTheEdge() throws {
        let bench = try Bench()
        bench.startTransmit()
        let base = bench.iova(Bench.memoryByteCount - 64)
        bench.write(UInt32(truncatingIfNeeded: base), to: E1000E.tdbal[0])
        bench.write(6, to: E1000E.tdt[0])
        #expect(bench.step())
        #expect(bench.read(E1000E.tdh[0]) == 4)
        #expect(bench.counters.dmaFaults == 1)
    }

    @Test(arguments: [UInt64(0xdead_0000), .max, .max - 10, Bench.start.rawValue + UInt64(Bench.memoryByteCount) - 30])
    func transmitBuffersOutsideOfMemoryDropTheFrameOnly(address: UInt64) throws {
        let bench = try Bench()
        bench.startTransmit()
        bench.put(E1000E.TxLegacyDescriptor(bufferAddress: address, length: 60, command: Bench.whole), at: 0)
        bench.putFrame(frame(), at: 1)
        bench.write(2, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent() == [frame()])
        #expect(bench.transmitStatus(0) == .done)
        #expect(bench.counters.dmaFaults == 1)
        #expect(bench.counters.framesNotSent == 1)
    }

    @Test func receiveBuffersOutsideOfMemoryAreCompletedAndCounted() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.giveReceive(0, buffer: .max - 5)
        try bench.arrive(frame())
        try bench.arrive(frame(first: 9))
        bench.step()
        #expect(bench.counters.dmaFaults == 1)
        #expect(bench.receivedBytes(1) == frame(first: 9))
    }

    @Test func memoryThatMayNotBeWrittenIsNot() throws {
        let bench = try Bench()
        let secret = try DMAMemory.ordinary(byteCount: 4096)
        let range = try #require(IOVARange(start: IOVA(0x9000_0000), byteCount: 4096))
        try bench.environment.dma.map(range, to: secret.window, access: .read)
        bench.startReceive()
        bench.giveReceive(0, buffer: 0x9000_0000)
        try bench.arrive(frame())
        bench.step()
        #expect(secret.window.bytes(at: 0, byteCount: 4096).allSatisfy { $0 == 0 })
        #expect(bench.counters.dmaFaults == 1)
    }

    @Test func nullReceiveDescriptorsAreSkipped() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.giveReceive(0, buffer: 0)
        try bench.arrive(frame())
        bench.step()
        #expect(bench.received(0).status == .done)
        #expect(bench.received(0).length == 0)
        #expect(bench.receivedBytes(1) == frame())
    }

    @Test func aRingOfNullDescriptorsEndsAndCounts() throws {
        let bench = try Bench()
        bench.startReceive()
        for index in 0..<8 { bench.giveReceive(index, buffer: 0) }
        try bench.arrive(frame())
        #expect(bench.step())
        #expect(bench.read(E1000E.mpc) == 1)
        #expect(bench.counters.badDescriptors == 7)
        #expect(!bench.step())
    }

    @Test func zeroLengthDescriptorsTransferNothing() throws {
        let bench = try Bench()
        bench.startTransmit()
        for index in 0..<3 {
            bench.put(E1000E.TxLegacyDescriptor(bufferAddress: bench.iova(0), length: 0, command: Bench.whole), at: index)
        }
        bench.write(3, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent().isEmpty)
        #expect(bench.read(E1000E.tdh[0]) == 3)
        #expect(bench.transmitStatus(2) == .done)
    }

    @Test(arguments: [1, 13, 9015, 16000])
    func framesOfImpossibleLengthsAreNotSent(byteCount: UInt16) throws {
        let bench = try Bench()
        bench.startTransmit()
        bench.put(E1000E.TxLegacyDescriptor(bufferAddress: bench.iova(bench.buffer(0)), length: byteCount, command: Bench.whole), at: 0)
        bench.write(1, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent().isEmpty)
        #expect(bench.counters.framesNotSent == 1)
        #expect(bench.transmitStatus(0) == .done)
    }

    @Test func aFrameWithoutEndIsCutAtTheBuffersSize() throws {
        let bench = try Bench()
        bench.startTransmit()
        for index in 0..<7 {
            bench.put(E1000E.TxDataDescriptor(bufferAddress: bench.iova(0), length: 0xfffff, command: .insertFCS), at: index)
        }
        bench.write(7, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent().isEmpty)
        #expect(bench.counters.badDescriptors == 1)
        bench.putFrame(frame(), at: 7)
        bench.write(0, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.counters.framesNotSent == 1)
    }

    @Test func aTailThatIsAlwaysAheadIsWorkedInSteps() throws {
        let bench = try Bench()
        bench.startTransmit(count: 128)
        for index in 0..<128 { bench.put(E1000E.TxContextDescriptor(ip: .init(), tcpUDP: .init(), command: []), at: index) }
        bench.write(127, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.read(E1000E.tdh[0]) == 64)
    }

    @Test func unknownDescriptorTypesAreCountedAndTheNextFrameGoes() throws {
        let bench = try Bench()
        bench.startTransmit()
        var word1 = E1000E.TxDataDescriptor(bufferAddress: 0, length: 60, command: Bench.whole).word1
        word1 |= 0xf << 20
        bench.put(E1000E.TxLegacyDescriptor(word0: bench.iova(bench.buffer(0)), word1: word1), at: 0)
        bench.putFrame(frame(), at: 1)
        bench.write(2, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent() == [frame()])
        #expect(bench.counters.badDescriptors == 1)
    }

    @Test func segmentationWithImpossibleNumbersSendsNothing() throws {
        let bench = try Bench()
        let possible = E1000E.TxChecksumRange(start: 14, offset: 24, end: 33)
        for (ip, header, segment) in [
            (possible, 54, 0), (possible, 255, 1000), (possible, 0, 1000), (possible, 54, 0xffff),
            (E1000E.TxChecksumRange(start: 250, offset: 255, end: 1), 54, 1000),
        ] as [(E1000E.TxChecksumRange, UInt8, UInt16)] {
            bench.startTransmit()
            bench.put(
                E1000E.TxContextDescriptor(
                    ip: ip, tcpUDP: .init(start: 34, offset: 50), command: [.contextIPv4, .contextTCP, .segmentation],
                    headerLength: header, maximumSegment: segment), at: 0)
            bench.put(
                E1000E.TxDataDescriptor(
                    bufferAddress: bench.iova(0), length: 200, command: Bench.whole.union(.segmentation),
                    options: [.insertIPChecksum, .insertTCPUDPChecksum]), at: 1)
            bench.write(2, to: E1000E.tdt[0])
            bench.step()
        }
        #expect(bench.sent().isEmpty)
        #expect(bench.counters.framesNotSent == 5)
    }

    @Test func anUnmappedBufferIsNotReachedAnyMore() throws {
        let bench = try Bench()
        bench.startReceive()
        let range = try #require(IOVARange(start: Bench.start, byteCount: UInt64(Bench.memoryByteCount)))
        #expect(bench.environment.dma.unmap(range)?.count == 1)
        try bench.arrive(frame())
        bench.step()
        #expect(bench.received(0).word1 == 0)
        #expect(bench.memory.window.load8(at: bench.buffer(0)) == 0)
    }

    @Test func randomRegistersAndDescriptorsNeverTrap() throws {
        var random = Seeded(state: 0x5eed)
        for _ in 0..<60 {
            let bench = try Bench(depth: 8)
            bench.startReceive()
            bench.startTransmit()
            for at in stride(from: 0, to: 0x3000, by: 8) where random.next() & 1 == 0 {
                // Half of the addresses point into memory.
                let word = random.next()
                bench.memory.window.store64(word & 2 == 0 ? word : bench.iova(Int(word & 0xffff0)), at: at)
            }
            for _ in 0..<40 {
                let rows = E1000E.allRows
                let row = rows[Int(random.next() % UInt64(rows.count))]
                if row.name != "CTRL" { bench.model.writeRegion(0, at: UInt64(row.offset), random.next() & 0xff, byteCount: 4) }
                bench.model.writeRegion(0, at: UInt64(E1000E.tdt[0].offset), random.next() & 7, byteCount: 4)
                bench.write([.enable], to: E1000E.tctl)
                bench.write([.enable, .unicastPromiscuous], to: E1000E.rctl)
                try bench.arrive((0..<14 + Int(random.next() % 300)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
                bench.step()
                _ = bench.sent()
            }
        }
    }
}

/// SplitMix64.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}
