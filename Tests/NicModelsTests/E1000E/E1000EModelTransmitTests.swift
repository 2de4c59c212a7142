import DeviceMemory
import NicModels
import NicRegisters
import Testing

@Suite struct E1000EModelTransmitTests {
    @Test func aLegacyDescriptorBecomesAFrame() throws {
        let bench = try Bench()
        bench.startTransmit()
        bench.putFrame(frame(to: Bench.peerAddress, byteCount: 64), at: 0)
        bench.write(1, to: E1000E.tdt[0])
        #expect(bench.step())
        #expect(bench.sent() == [frame(to: Bench.peerAddress, byteCount: 64)])
        #expect(bench.transmitStatus(0) == .done)
        #expect(bench.read(E1000E.tdh[0]) == 1)
        #expect(bench.read(E1000E.gptc) == 1)
        #expect(bench.read(E1000E.gotcl) == 68)
        #expect(bench.read(E1000E.icr).isSuperset(of: [.transmitWriteBack, .transmitQueue0, .transmitQueueEmpty]))
    }

    @Test func withoutReportStatusNothingIsWrittenBack() throws {
        let bench = try Bench()
        bench.startTransmit()
        bench.putFrame(frame(), at: 0, command: [.endOfPacket, .insertFCS])
        bench.write(1, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent().count == 1)
        #expect(bench.transmitStatus(0) == [])
    }

    @Test func shortFramesArePaddedIfAsked() throws {
        let bytes = frame(byteCount: 22)
        for pads in [true, false] {
            let bench = try Bench()
            bench.startTransmit(pads ? .padShortPackets : [])
            bench.putFrame(frame(byteCount: 100), at: 0, command: .insertFCS)
            bench.put(E1000E.TxLegacyDescriptor(bufferAddress: 0, length: 0, command: Bench.whole), at: 0)
            bench.putFrame(bytes, at: 1)
            bench.write(2, to: E1000E.tdt[0])
            bench.step()
            #expect(bench.sent() == [bytes + Array(repeating: 0, count: pads ? 38 : 0)])
        }
    }

    @Test func severalDescriptorsMakeOneFrame() throws {
        let bench = try Bench()
        bench.startTransmit()
        let bytes = frame(byteCount: 9014)
        bench.memory.window.store(bytes, at: bench.buffer(0))
        for (index, range) in [0..<10, 10..<4000, 4000..<9014].enumerated() {
            bench.put(
                E1000E.TxDataDescriptor(
                    bufferAddress: bench.iova(bench.buffer(0) + range.lowerBound), length: UInt32(range.count),
                    command: index == 2 ? Bench.whole : .insertFCS), at: index)
        }
        bench.write(3, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent() == [bytes])
        #expect(bench.read(E1000E.ptc1522) == 1)
    }

    @Test func aFrameMayEndInALaterStep() throws {
        let bench = try Bench()
        bench.startTransmit()
        let bytes = frame(byteCount: 100)
        bench.memory.window.store(bytes, at: bench.buffer(0))
        bench.put(E1000E.TxLegacyDescriptor(bufferAddress: bench.iova(bench.buffer(0)), length: 40, command: .insertFCS), at: 0)
        bench.put(E1000E.TxLegacyDescriptor(bufferAddress: bench.iova(bench.buffer(0) + 40), length: 60, command: Bench.whole), at: 1)
        bench.write(1, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent().isEmpty)
        bench.write(2, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent() == [bytes])
    }

    @Test func checksumsAreInsertedFromTheContext() throws {
        let bench = try Bench()
        bench.startTransmit()
        let right = udpFrame(payload: 33)
        var bare = right
        bare[24] = 0
        bare[25] = 0
        // The driver's seed: the sum of the pseudo header.
        let seed = internetSum(Array(right[26..<34]) + [0, 17] + right[38..<40])
        bare[40] = UInt8(seed >> 8)
        bare[41] = UInt8(seed & 0xff)
        bench.memory.window.store(bare, at: bench.buffer(1))
        bench.put(
            E1000E.TxContextDescriptor(
                ip: .init(start: 14, offset: 24, end: 33), tcpUDP: .init(start: 34, offset: 40), command: [.contextIPv4]), at: 0)
        bench.put(
            E1000E.TxDataDescriptor(
                bufferAddress: bench.iova(bench.buffer(1)), length: UInt32(bare.count), command: Bench.whole,
                options: [.insertIPChecksum, .insertTCPUDPChecksum]), at: 1)
        bench.write(2, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent() == [right])
    }

    @Test func aLegacyChecksumIsInserted() throws {
        let bench = try Bench()
        bench.startTransmit()
        var bytes = frame(byteCount: 60)
        bytes[50] = 0
        bytes[51] = 0
        bench.memory.window.store(bytes, at: bench.buffer(0))
        bench.put(
            E1000E.TxLegacyDescriptor(
                bufferAddress: bench.iova(bench.buffer(0)), length: 60, command: Bench.whole.union(.insertChecksum),
                checksumOffset: 50, checksumStart: 14), at: 0)
        bench.write(1, to: E1000E.tdt[0])
        bench.step()
        let sent = try #require(bench.sent().first)
        #expect(internetSum(sent[14...]) == 0xffff)
    }

    @Test func aChecksumRangeOutsideOfTheFrameIsIgnoredAndCounted() throws {
        let bench = try Bench()
        bench.startTransmit()
        let bytes = frame(byteCount: 60)
        bench.memory.window.store(bytes, at: bench.buffer(0))
        bench.put(
            E1000E.TxContextDescriptor(
                ip: .init(start: 200, offset: 255, end: 0xffff), tcpUDP: .init(start: 50, offset: 59, end: 3), command: []), at: 0)
        bench.put(
            E1000E.TxDataDescriptor(
                bufferAddress: bench.iova(bench.buffer(0)), length: 60, command: Bench.whole,
                options: [.insertIPChecksum, .insertTCPUDPChecksum]), at: 1)
        bench.write(2, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent() == [bytes])
        #expect(bench.counters.badDescriptors == 2)
    }

    @Test func tagsAreInserted() throws {
        let bench = try Bench()
        bench.startTransmit()
        bench.write(bench.read(E1000E.ctrl).union(.vlanMode), to: E1000E.ctrl)
        let bytes = frame(byteCount: 80)
        bench.memory.window.store(bytes, at: bench.buffer(0))
        bench.put(
            E1000E.TxLegacyDescriptor(
                bufferAddress: bench.iova(bench.buffer(0)), length: 80, command: Bench.whole.union(.insertVLAN), vlanTag: 0x3007), at: 0)
        bench.write(1, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent() == [Array(bytes[0..<12]) + [0x81, 0, 0x30, 0x07] + bytes[12...]])
    }

    @Test func ownFCSIsCheckedAndTakenOff() throws {
        let bench = try Bench()
        bench.startTransmit()
        let bytes = frame(byteCount: 60)
        var crc: UInt32 = ~0
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        let fcs = (0..<4).map { UInt8(truncatingIfNeeded: ~crc >> UInt32(8 * $0)) }
        bench.putFrame(bytes + fcs, at: 0, command: [.endOfPacket, .reportStatus])
        bench.putFrame(bytes + [1, 2, 3, 4], at: 1, command: [.endOfPacket, .reportStatus])
        bench.write(2, to: E1000E.tdt[0])
        bench.step()
        #expect(bench.sent() == [bytes])
        #expect(bench.counters.framesNotSent == 1)
    }

    @Test func theSecondQueueSendsToo() throws {
        let bench = try Bench()
        bench.startTransmit(queue: 1)
        bench.memory.window.store(frame(), at: bench.buffer(3))
        bench.put(E1000E.TxLegacyDescriptor(bufferAddress: bench.iova(bench.buffer(3)), length: 60, command: Bench.whole), at: 0, queue: 1)
        bench.write(1, to: E1000E.tdt[1])
        bench.step()
        #expect(bench.sent() == [frame()])
        #expect(bench.read(E1000E.icr).contains(.transmitQueue1))
    }

    @Test func segmentationMakesFramesWithRightHeaders() throws {
        let bench = try Bench()
        bench.startTransmit()
        let payload = (0..<2500).map { UInt8(truncatingIfNeeded: $0 &* 3) }
        var tcp: [UInt8] = [0x10, 0, 0x20, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0x50, 0x19, 0xff, 0xff, 0, 0, 0, 0]
        let addresses: [UInt8] = [10, 0, 0, 1, 10, 0, 0, 2]
        let seed = internetSum(addresses + [0, 6])
        tcp[16] = UInt8(seed >> 8)
        tcp[17] = UInt8(seed & 0xff)
        let ip: [UInt8] = [0x45, 0, 0, 0, 0, 7, 0, 0, 64, 6, 0, 0] + addresses
        let header = Array(frame().prefix(12)) + [0x08, 0x00] + ip + tcp
        bench.memory.window.store(header + payload, at: bench.buffer(1))
        bench.put(
            E1000E.TxContextDescriptor(
                ip: .init(start: 14, offset: 24, end: 33), tcpUDP: .init(start: 34, offset: 50), payloadLength: 2500,
                command: [.contextIPv4, .contextTCP, .segmentation], headerLength: 54, maximumSegment: 1000), at: 0)
        bench.put(
            E1000E.TxDataDescriptor(
                bufferAddress: bench.iova(bench.buffer(1)), length: 2554, command: Bench.whole.union(.segmentation),
                options: [.insertIPChecksum, .insertTCPUDPChecksum]), at: 1)
        bench.write(2, to: E1000E.tdt[0])
        bench.step()
        let sent = bench.sent()
        #expect(sent.map(\.count) == [1054, 1054, 554])
        let isWhole = sent.flatMap { $0[54...] } == payload
        #expect(isWhole)
        #expect(sent.map { $0[19] } == [7, 8, 9])
        #expect(sent.map { UInt16($0[40]) << 8 | UInt16($0[41]) } == [100, 1100, 2100])
        #expect(sent.map { $0[47] } == [0x10, 0x10, 0x19])
        for bytes in sent {
            #expect(internetSum(bytes[14..<34]) == 0xffff)
            let length = bytes.count - 34
            let pseudo = addresses + [0, 6, UInt8(length >> 8), UInt8(length & 0xff)]
            #expect(internetSum(pseudo + bytes[34...]) == 0xffff)
        }
    }
}
