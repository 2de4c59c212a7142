@testable import NicModels
import NicRegisters
import Testing

@Suite struct IgbvfModelReceiveTests {
    @Test func aFrameIsWrittenWithItsCompletion() throws {
        let bench = try IgbvfBench()
        bench.start()
        try bench.arrive(frame(byteCount: 100))
        #expect(bench.step())
        #expect(bench.receivedBytes(0) == frame(byteCount: 100))
        #expect(bench.received(0).status == [.done, .endOfPacket, .ignoreChecksum])
        #expect(bench.read(Igbvf.rdh[0]) == 1)
        #expect(bench.read(Igbvf.vfgprc) == 1 && bench.read(Igbvf.vfgorc) == 104)
    }

    @Test func checksumsAreJudged() throws {
        let bench = try IgbvfBench()
        bench.start()
        var bad = udpFrame()
        bad[40] ^= 0x55
        try bench.arrive(udpFrame())
        try bench.arrive(bad)
        bench.step()
        let checked: Igbvf.RxStatus = [.ipChecksumChecked, .udpChecksumChecked, .tcpChecksumChecked]
        #expect(bench.received(0).status == checked.union([.done, .endOfPacket]))
        #expect(bench.received(1).status.contains(.tcpUDPChecksumError))
    }

    @Test func onlyWhatThePFLetsThroughArrives() throws {
        let bench = try IgbvfBench()
        bench.start()
        let group: UInt64 = 0x0100_5e01_0203
        for destination in [0x0200_0000_0033, 0x0100_5e0a_0b0c, group, 0xffff_ffff_ffff] { try bench.arrive(frame(to: destination)) }
        bench.step()
        #expect(bench.counters.framesFiltered == 3 && bench.counters.framesReceived == 1)
        bench.ask(Igbvf.multicastMessage([Igbvf.multicastHash(byte4: 0x02, byte5: 0x03)]))
        bench.ask(Igbvf.addressMessage(.addFurther, 0x0200_0000_0033))
        for destination in [0x0200_0000_0033, 0x0100_5e0a_0b0c, group] { try bench.arrive(frame(to: destination)) }
        bench.step()
        #expect(bench.counters.framesFiltered == 4 && bench.counters.framesReceived == 3)
        bench.ask([Igbvf.MessageHeader(.setPromiscuous, info: Igbvf.promiscuousMulticast).bits])
        try bench.arrive(frame(to: 0x0100_5e0a_0b0c))
        bench.step()
        #expect(bench.counters.framesReceived == 4 && bench.read(Igbvf.vfmprc) == 2)
    }

    @Test func theLimitThatThePFWasToldHolds() throws {
        let bench = try IgbvfBench()
        bench.start()
        for byteCount in [1514, 1515] { try bench.arrive(frame(byteCount: byteCount)) }
        bench.step()
        #expect(bench.counters.framesReceived == 1)
        bench.ask([Igbvf.MessageHeader(.setReceiveLimit).bits, 3004])
        for byteCount in [3000, 3001] { try bench.arrive(frame(byteCount: byteCount)) }
        bench.step()
        #expect(bench.counters.framesReceived == 2)
        #expect(bench.received(1).status == .done && bench.received(1).length == 2048)
        #expect(bench.received(2).status.contains(.endOfPacket) && bench.received(2).length == 952)
    }

    @Test func tagsOfJoinedVLANsAreTakenOffAndOthersDropped() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.ask([Igbvf.MessageHeader(.setVLAN, info: 1).bits, 7])
        let plain = frame(byteCount: 100)
        func tagged(_ vlan: UInt8) -> [UInt8] { Array(plain[..<12]) + [0x81, 0, 0, vlan] + plain[12...] }
        try bench.arrive(tagged(8))
        try bench.arrive(tagged(7))
        bench.step()
        #expect(bench.counters.framesFiltered == 1)
        #expect(bench.receivedBytes(0) == plain && bench.received(0).vlanTag == 7 && bench.received(0).status.contains(.vlanPacket))
    }

    @Test func withoutDescriptorsFramesAreDropped() throws {
        let bench = try IgbvfBench()
        bench.start()
        for _ in 0..<10 { try bench.arrive(frame()) }
        bench.step()
        #expect(bench.counters.framesReceived == 7)
        bench.write(6, to: Igbvf.rdt[0])
        bench.step()
        #expect(bench.counters.framesReceived == 7)
    }

    @Test func aQueueThatIsOffReceivesNothing() throws {
        let bench = try IgbvfBench()
        bench.start()
        bench.write(Igbvf.QueueControl(), to: Igbvf.rxdctl[0])
        try bench.arrive(frame())
        bench.step()
        #expect(bench.counters.framesWhileOff == 1)
    }

    @Test func theWireIsToldTheOnlyAddress() throws {
        let bench = try IgbvfBench()
        #expect(bench.model.wire.announced == .some(IgbvfBench.address))
        bench.start()
        bench.ask(Igbvf.addressMessage(.addFurther, 0x0200_0000_0033))
        #expect(bench.model.wire.announced == .some(nil))
    }
}
