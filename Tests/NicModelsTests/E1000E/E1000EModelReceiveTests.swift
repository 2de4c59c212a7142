import DeviceMemory
import DeviceModel
import NicModels
import NicRegisters
import Testing

@Suite struct E1000EModelReceiveTests {
    @Test func aFrameLandsInItsBufferAndIsCounted() throws {
        let bench = try Bench()
        bench.startReceive()
        try bench.arrive(frame(byteCount: 64))
        #expect(bench.step())
        #expect(bench.received(0).status.isSuperset(of: [.done, .endOfPacket, .ignoreChecksum]))
        #expect(bench.received(0).length == 64)
        #expect(bench.receivedBytes(0) == frame(byteCount: 64))
        #expect(bench.read(E1000E.rdh[0]) == 1)
        #expect(bench.read(E1000E.gprc) == 1)
        #expect(bench.read(E1000E.gprc) == 0)
        #expect(bench.read(E1000E.gorcl) == 68)
        #expect(bench.read(E1000E.prc127) == 1)
        #expect(bench.counters.framesReceived == 1)
    }

    @Test func anIdleStepSaysSo() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.startTransmit()
        #expect(!bench.step())
    }

    @Test func theLegacyFormatKeepsTheAddress() throws {
        let bench = try Bench()
        bench.startReceive(extended: false)
        try bench.arrive(udpFrame())
        bench.step()
        let words = bench.received(0)
        let done = E1000E.RxLegacyDescriptor(word0: words.word0, word1: words.word1)
        #expect(done.bufferAddress == bench.iova(bench.buffer(0)))
        #expect(done.length == UInt16(udpFrame().count))
        #expect(done.status.isSuperset(of: [.done, .endOfPacket, .ipChecksumChecked, .tcpChecksumChecked]))
        #expect(done.packetChecksum == internetSum(udpFrame()))
    }

    @Test func theRingWrapsTwice() throws {
        let bench = try Bench()
        bench.startReceive()
        for round in 0..<20 {
            let index = round % 8
            try bench.arrive(frame(first: UInt8(round)))
            bench.step()
            #expect(bench.received(index).status.contains(.done))
            #expect(bench.receivedBytes(index) == frame(first: UInt8(round)))
            bench.giveReceive(index, buffer: bench.iova(bench.buffer(index)))
            bench.write(UInt32((index + 8 - 1 + 1) % 8), to: E1000E.rdt[0])
        }
        #expect(bench.counters.framesReceived == 20)
    }

    @Test func withoutDescriptorsAFrameWaitsAndIsCountedOnce() throws {
        let bench = try Bench()
        bench.startReceive(given: 0)
        try bench.arrive(frame())
        bench.step(10)
        #expect(bench.read(E1000E.rnbc) == 1)
        #expect(bench.read(E1000E.tpr) == 1)
        #expect(bench.read(E1000E.icr).contains(.receiveOverrun))
        bench.write(7, to: E1000E.rdt[0])
        bench.step()
        #expect(bench.receivedBytes(0) == frame())
    }

    @Test func aLongFrameTakesSeveralDescriptors() throws {
        let bench = try Bench()
        var control: E1000E.ReceiveControl = [.stripCRC]
        control.bufferSize = 3
        bench.startReceive(control)
        let bytes = frame(byteCount: 600)
        try bench.arrive(bytes)
        bench.step()
        #expect((0..<3).map { bench.received($0).length } == [256, 256, 88])
        #expect((0..<3).map { bench.received($0).status.contains(.endOfPacket) } == [false, false, true])
        #expect((0..<3).flatMap { bench.receivedBytes($0) } == bytes)
    }

    @Test func aFrameLongerThanTheWholeRingIsMissed() throws {
        let bench = try Bench()
        var control: E1000E.ReceiveControl = [.stripCRC, .longPackets]
        control.bufferSize = 3
        bench.startReceive(control)
        try bench.arrive(frame(byteCount: 9014))
        try bench.arrive(frame())
        bench.step(2)
        #expect(bench.read(E1000E.mpc) == 1)
        #expect(bench.receivedBytes(0) == frame())
    }

    @Test func withoutSECRCTheFCSFollows() throws {
        let bench = try Bench()
        bench.startReceive([])
        try bench.arrive(frame())
        bench.step()
        #expect(bench.received(0).length == 64)
        // CRC-32 over a frame and its FCS leaves the fixed residue (IEEE 802.3 §3.2.9).
        var crc: UInt32 = ~0
        for byte in bench.receivedBytes(0) {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        #expect(crc == 0xdebb_20e3)
    }

    @Test(arguments: [(1518, false, true), (1519, false, false), (1519, true, true), (9014, true, true), (59, true, false)])
    func lengthsAreLimited(byteCount: Int, long: Bool, accepted: Bool) throws {
        let bench = try Bench()
        var control: E1000E.ReceiveControl = long ? [.stripCRC, .longPackets] : .stripCRC
        control.flexibleBuffer = 10
        bench.startReceive(control)
        try bench.arrive(frame(byteCount: byteCount))
        bench.step()
        #expect(bench.received(0).status.contains(.done) == accepted)
        #expect(bench.read(E1000E.roc) == (byteCount == 1519 && !long ? 1 : 0))
        #expect(bench.read(E1000E.ruc) == (byteCount == 59 ? 1 : 0))
    }

    @Test func checksumsAreJudged() throws {
        let bench = try Bench()
        bench.startReceive()
        var wrongIP = udpFrame()
        wrongIP[24] ^= 1
        var wrongUDP = udpFrame()
        wrongUDP[45] ^= 1
        var none = udpFrame()
        none[40] = 0
        none[41] = 0
        for bytes in [udpFrame(), wrongIP, wrongUDP, none, udpFrame(payload: 31)] { try bench.arrive(bytes) }
        bench.step()
        let errors: E1000E.RxStatus = [.ipChecksumError, .tcpUDPChecksumError]
        #expect((0..<5).map { bench.received($0).status.intersection(errors) } == [[], .ipChecksumError, .tcpUDPChecksumError, [], []])
        #expect(bench.received(0).status.isSuperset(of: [.ipChecksumChecked, .tcpChecksumChecked, .udpChecksumChecked]))
        #expect(!bench.received(3).status.contains(.tcpChecksumChecked))
        #expect(bench.received(0).ipIdentification == 0x1234)
    }

    @Test func headersThatLieAboutTheirLengthsAreNotChecked() throws {
        let bench = try Bench()
        bench.startReceive()
        let original = udpFrame()
        for (offset, value) in [(14, 0x4f), (14, 0x41), (16, 0xff), (17, 3), (38, 0xff)] as [(Int, UInt8)] {
            var bytes = original
            bytes[offset] = value
            try bench.arrive(bytes)
        }
        #expect(bench.step())
        #expect(bench.counters.framesReceived == 5)
        #expect((0..<4).allSatisfy { !bench.received($0).status.contains(.tcpChecksumChecked) })
    }

    @Test func tagsAreStrippedAndReported() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.write(bench.read(E1000E.ctrl).union(.vlanMode), to: E1000E.ctrl)
        let plain = frame(byteCount: 100)
        try bench.arrive(Array(plain[0..<12]) + [0x81, 0x00, 0x20, 0x05] + plain[12...])
        bench.step()
        #expect(bench.received(0).status.contains(.vlanPacket))
        #expect(bench.received(0).vlanTag == 0x2005)
        #expect(bench.receivedBytes(0) == plain)
    }

    @Test func whatComesBeforeReceiveIsOnIsLost() throws {
        let bench = try Bench()
        try bench.arrive(frame(first: 1))
        bench.startReceive()
        try bench.arrive(frame(first: 2))
        bench.step()
        #expect(bench.receivedBytes(0) == frame(first: 2))
        #expect(bench.counters.framesWhileOff == 1)
    }

    @Test func aStepTakesAtMost64Frames() throws {
        let bench = try Bench(depth: 128)
        bench.startReceive()
        for _ in 0..<100 { try bench.arrive(frame(to: 0x0200_0000_0099)) }
        bench.step()
        #expect(bench.counters.framesFiltered == 64)
        bench.step()
        #expect(bench.counters.framesFiltered == 100)
    }
}
