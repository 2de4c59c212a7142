import NicModels
import NicRegisters
import Testing

@Suite struct IgbvfModelTransmitTests {
    @Test func aFrameGoesToTheWireAndIsReported() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.putFrame(frame(byteCount: 200), at: 0)
        bench.write(1, to: Igbvf.tdt[0])
        #expect(bench.step())
        #expect(bench.sent() == [frame(byteCount: 200)])
        #expect(bench.isDone(0) && bench.read(Igbvf.tdh[0]) == 1)
        #expect(bench.read(Igbvf.vfgptc) == 1 && bench.read(Igbvf.vfgotc) == 204)
    }

    @Test func aFrameOfSeveralDescriptorsIsPutTogetherAndPadded() throws {
        let bench = try IgbvfBench()
        bench.start()
        let bytes = frame(byteCount: 40)
        bench.memory.window.store(bytes, at: bench.buffer(0))
        for (index, range) in [0..<14, 14..<40].enumerated() {
            bench.put(
                Igbvf.TxDataDescriptor(
                    bufferAddress: bench.iova(bench.buffer(0) + range.lowerBound), length: UInt16(range.count),
                    command: index == 1 ? IgbvfBench.whole : .insertFCS, payloadLength: 40), at: index)
        }
        bench.write(2, to: Igbvf.tdt[0])
        bench.step()
        #expect(bench.sent() == [bytes + [UInt8](repeating: 0, count: 20)])
        #expect(!bench.isDone(0) && bench.isDone(1))
    }

    @Test func aFrameBelowSeventeenBytesIsNotSent() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.putFrame(frame(byteCount: 16), at: 0)
        bench.write(1, to: Igbvf.tdt[0])
        bench.step()
        #expect(bench.sent().isEmpty && bench.counters.framesNotSent == 1)
    }

    @Test func checksumsAreInsertedByTheContext() throws {
        let bench = try IgbvfBench()
        bench.start()
        let right = udpFrame()
        var blank = right
        blank.replaceSubrange(24..<26, with: [0, 0])
        // What the driver puts there: the pseudo header's sum.
        let pseudo = internetSum(Array(right[26..<34]) + [0, 17] + right[38..<40])
        blank.replaceSubrange(40..<42, with: [UInt8(pseudo >> 8), UInt8(pseudo & 0xff)])
        bench.put(Igbvf.TxContextDescriptor(linkHeaderByteCount: 14, networkHeaderByteCount: 20, isIPv4: true, isTCP: false), at: 0)
        bench.putFrame(blank, at: 1, options: [.insertIPChecksum, .insertTCPUDPChecksum])
        bench.write(2, to: Igbvf.tdt[0])
        bench.step()
        #expect(bench.sent() == [right])
    }

    @Test func aContextOutsideOfTheFrameHarmsNothing() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.put(Igbvf.TxContextDescriptor(linkHeaderByteCount: 127, networkHeaderByteCount: 511, isIPv4: true, isTCP: true), at: 0)
        bench.putFrame(frame(), at: 1, options: [.insertIPChecksum, .insertTCPUDPChecksum])
        bench.write(2, to: Igbvf.tdt[0])
        bench.step()
        #expect(bench.sent() == [frame()] && bench.counters.badDescriptors == 2)
    }

    @Test func unknownDescriptorsSendNothingAndTheNextFrameGoes() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.put(E1000E.TxLegacyDescriptor(bufferAddress: bench.iova(bench.buffer(0)), length: 60, command: IgbvfBench.whole), at: 0)
        bench.put(Igbvf.TxDataDescriptor(word0: 0, word1: 0xffff_ffff_ffff_ffff), at: 1)
        bench.putFrame(frame(), at: 2)
        bench.write(3, to: Igbvf.tdt[0])
        bench.step()
        #expect(bench.sent() == [frame()])
        #expect(bench.counters.framesNotSent == 2 && bench.counters.badDescriptors >= 2)
    }

    @Test func withoutAHandshakeOrASwitchedOnQueueNothingGoes() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.putFrame(frame(), at: 0)
        bench.write(1, to: Igbvf.tdt[0])
        bench.write(Igbvf.QueueControl(), to: Igbvf.txdctl[0])
        bench.step()
        #expect(bench.sent().isEmpty)
        bench.write(Igbvf.QueueControl.enable, to: Igbvf.txdctl[0])
        bench.setCommand(0x2)
        bench.step()
        #expect(bench.sent().isEmpty)
        bench.setCommand(0x6)
        bench.step()
        #expect(bench.sent() == [frame()])
    }
}
