import DeviceModel
import NicModels
import NicRegisters
import Testing

/// What a hostile or broken driver writes: counted, bounded, never a trap.
@Suite struct IgbvfModelHostileTests {
    @Test func everyBitOfTheMappedPagesSetDoesNoHarm() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.mapped.fill(0xff)
        try bench.arrive(frame())
        bench.step(5)
        #expect(bench.sent().isEmpty && bench.counters.framesReceived == 0)
    }

    @Test(arguments: [0, 5, 9, 0x7fff_ffff, UInt32.max] as [UInt32]) func everyWordAtEveryRegisterDoesNoHarm(word: UInt32) throws {
        let bench = try IgbvfBench()
        bench.start()
        for offset in stride(from: 0, to: Igbvf.PCI.registerByteCount, by: 4) {
            bench.model.writeRegion(0, at: UInt64(offset), UInt64(word), byteCount: 4)
            _ = bench.model.readRegion(0, at: UInt64(offset), byteCount: 4)
            try bench.arrive(frame())
            bench.step()
        }
    }

    @Test(arguments: [0, 1, 2, 3, 5, 8, 16]) func oddAccessesReadSomethingAndChangeNothing(byteCount: Int) throws {
        let bench = try IgbvfBench()
        for bar in 0..<6 {
            for offset in [0, 1, 3, 0x3ffc, 0x3fff, 0x4000, UInt64.max] {
                bench.model.writeRegion(bar, at: offset, .max, byteCount: byteCount)
                _ = bench.model.readRegion(bar, at: offset, byteCount: byteCount)
            }
        }
        bench.start()
        try bench.arrive(frame())
        bench.step()
        #expect(bench.receivedBytes(0) == frame())
    }

    @Test(arguments: [(8, 0, 9), (8, 9, 0), (0, 0, 1), (8, 0xffff, 0xfffe)])
    func headAndTailOutsideOfTheRingStopIt(count: Int, head: UInt32, tail: UInt32) throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.putFrame(frame(), at: 0)
        for (h, t, l) in [(Igbvf.tdh[0], Igbvf.tdt[0], Igbvf.tdlen[0]), (Igbvf.rdh[0], Igbvf.rdt[0], Igbvf.rdlen[0])] {
            bench.write(UInt32(count * 16), to: l)
            bench.write(head, to: h)
            bench.write(tail, to: t)
        }
        try bench.arrive(frame())
        bench.step(3)
        #expect(bench.sent().isEmpty && bench.counters.framesReceived == 0 && bench.counters.badRings > 0)
    }

    @Test func aRingOutsideOfMappedMemoryStandsStill() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.write(0x1, to: Igbvf.tdbah[0])
        bench.write(4, to: Igbvf.tdt[0])
        #expect(!bench.step())
        #expect(bench.counters.dmaFaults == 1)
    }

    @Test func buffersOutsideOfMappedMemoryAreCounted() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.giveReceive(0, buffer: 0xffff_ffff_ffff_f000)
        bench.put(
            Igbvf.TxDataDescriptor(bufferAddress: .max, length: .max, command: IgbvfBench.whole, payloadLength: .max), at: 0)
        bench.write(1, to: Igbvf.tdt[0])
        try bench.arrive(frame())
        bench.step()
        #expect(bench.counters.dmaFaults == 1 && bench.counters.framesNotSent == 1 && bench.sent().isEmpty)
    }

    @Test func nullBuffersUseTheRingUpAndTheFrameIsLost() throws {
        let bench = try IgbvfBench()
        bench.start()
        for index in 0..<8 { bench.giveReceive(index, buffer: 0) }
        try bench.arrive(frame())
        bench.step()
        #expect(bench.counters.badDescriptors == 7)
    }

    @Test func framesThatNeverEndAreBounded() throws {
        let bench = try IgbvfBench()
        bench.start()
        for index in 0..<8 {
            bench.put(
                Igbvf.TxDataDescriptor(bufferAddress: bench.iova(bench.buffer(0)), length: 9000, command: .insertFCS, payloadLength: 0),
                at: index)
        }
        for round in 0..<100 {
            bench.write(UInt32((round * 7 + 7) % 8), to: Igbvf.tdt[0])
            bench.step()
        }
        #expect(bench.sent().isEmpty && bench.counters.badDescriptors > 0)
    }

    @Test func theFaultPlansLies() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.model.faults.lengthsBeyondBuffer = 1
        try bench.arrive(frame())
        bench.step()
        #expect(bench.received(0).length == .max)
        bench.model.faults.allOnes = true
        #expect(bench.read(Igbvf.status).bits == .max && bench.model.readRegion(0, at: 8, byteCount: 2) == 0xffff)
        #expect(!bench.step())
    }

    @Test func aFunctionLevelResetIsPowerOn() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.writeConfig(Igbvf.PCI.pcieCapability + 8, [0, 0x80])
        #expect(bench.read(Igbvf.rdlen[0]) == 0 && !bench.model.wantsPolling && bench.environment.config[4] == 0)
        bench.setCommand(0x6)
        bench.start()
        try bench.arrive(frame())
        bench.step()
        #expect(bench.receivedBytes(0) == frame())
    }

    @Test func configSpaceIsAVirtualFunctions() {
        let config = IgbvfModel<CableWire>.functionDescription.config
        #expect(Array(config[0..<4]) == [0x86, 0x80, 0xca, 0x10])
        #expect(config[0x34] == 0x70 && config[0x70] == 0x11 && config[0x71] == 0xa0 && config[0xa0] == 0x10)
        // Function level reset: device capabilities bit 28.
        #expect(config[0xa7] & 0x10 != 0)
    }
}
