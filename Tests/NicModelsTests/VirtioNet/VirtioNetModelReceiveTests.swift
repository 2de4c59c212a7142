import DeviceMemory
import NicRegisters
import Testing

@testable import NicModels

@Suite struct VirtioNetModelReceiveTests {
    @Test(arguments: [false, true])
    func aFrameLandsBehindItsHeader(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed)
        bench.giveBuffers(4)
        try bench.arrive(frame(byteCount: 200))
        bench.step()
        #expect(bench.receive.takeUsed() == [.init(id: 0, length: 212)])
        let (header, bytes) = bench.received(0, length: 212)
        #expect(bytes == frame(byteCount: 200))
        #expect(header == VirtioNet.Header(bufferCount: 1))
        #expect(bench.counters.framesReceived == 1 && bench.counters.bytesReceived == 200)
    }

    @Test(arguments: [false, true])
    func aFrameIsSpreadOverAsManyBuffersAsItNeeds(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed)
        for number in 0..<6 { bench.receive.add([.init(bench.buffer(number), 100, isWritable: true)]) }
        let whole = frame(byteCount: 333)
        try bench.arrive(whole)
        bench.step()
        // 12 + 333 = 345 bytes: three full buffers and 45.
        #expect(bench.receive.takeUsed() == [100, 100, 100, 45].enumerated().map { .init(id: $0, length: $1) })
        let parts = (0..<4).map { bench.memory.window.bytes(at: bench.buffer($0), byteCount: $0 == 3 ? 45 : 100) }
        #expect(Array(parts.joined())[12...] == whole[...])
        #expect(bench.memory.window.load16(at: bench.buffer(0) + 10) == 4)
    }

    @Test(arguments: [false, true])
    func aBufferOfManyPiecesIsFilledInOrder(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed, features: VirtioBench.usual.union(.indirectDescriptors))
        let at = bench.buffer(0)
        let pieces: [Piece] = [.init(at, 7, isWritable: true), .init(at + 7, 10, isWritable: true), .init(at + 17, 3000, isWritable: true)]
        bench.receive.add(pieces)
        bench.receive.add(pieces.map { .init($0.offset + 16384, $0.byteCount, isWritable: true) }, table: bench.buffer(3))
        try bench.arrive(frame(byteCount: 500))
        try bench.arrive(frame(byteCount: 500, first: 3))
        bench.step()
        #expect(bench.receive.takeUsed().map(\.length) == [512, 512])
        #expect(bench.received(0, length: 512).bytes == frame(byteCount: 500))
        #expect(bench.received(1, length: 512).bytes == frame(byteCount: 500, first: 3))
    }

    @Test(arguments: [false, true])
    func aFrameWaitsUntilThereAreBuffersEnough(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed)
        try bench.arrive(frame(byteCount: 150))
        #expect(!bench.step(3))
        bench.receive.add([.init(bench.buffer(0), 100, isWritable: true)])
        #expect(!bench.step(3))
        #expect(bench.receive.takeUsed().isEmpty)
        bench.receive.add([.init(bench.buffer(1), 100, isWritable: true)])
        #expect(bench.step())
        #expect(bench.receive.takeUsed().map(\.length) == [100, 62])
        #expect(bench.counters.starvations == 1)
    }

    @Test(arguments: [false, true])
    func withoutMergingAFrameThatDoesNotFitIsLostAndTheBufferIsNot(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed, features: VirtioBench.usual.subtracting(.mergeableBuffers))
        bench.giveBuffers(2, byteCount: 100)
        try bench.arrive(frame(byteCount: 150))
        try bench.arrive(frame(byteCount: 80))
        bench.step()
        #expect(bench.receive.takeUsed() == [.init(id: 0, length: 92)])
        #expect(bench.received(0, length: 92).bytes == frame(byteCount: 80))
        #expect(bench.counters.framesTooLong == 1)
    }

    @Test(arguments: [false, true])
    func aFrameThatTheWholeRingCannotHoldIsLost(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed, size: 4)
        bench.giveBuffers(4, byteCount: 100)
        try bench.arrive(frame(byteCount: 1000))
        try bench.arrive(frame(byteCount: 70))
        bench.step()
        #expect(bench.receive.takeUsed().map(\.length) == [82])
        #expect(bench.counters.framesTooLong == 1)
    }

    @Test(arguments: [false, true])
    func roundAfterRoundNothingIsLostOrChanged(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed)
        bench.giveBuffers(16, byteCount: 2048)
        for round in 0..<100 {
            try bench.arrive(frame(byteCount: 60 + round, first: UInt8(round)))
            bench.step()
            let used = bench.receive.takeUsed()
            try #require(used.count == 1)
            let number = round % 16
            #expect(bench.received(number, length: used[0].length).bytes == frame(byteCount: 60 + round, first: UInt8(round)))
            bench.giveBuffers(1, byteCount: 2048, first: number)
        }
    }

    @Test func headersAtOddAddressesAreWhole() throws {
        let bench = try VirtioBench.running()
        bench.receive.add([.init(bench.buffer(0) + 3, 2048, isWritable: true)])
        try bench.arrive(frame(byteCount: 60))
        bench.step()
        #expect(bench.memory.window.bytes(at: bench.buffer(0) + 3, byteCount: 12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0])
        #expect(bench.memory.window.bytes(at: bench.buffer(0) + 15, byteCount: 60) == frame(byteCount: 60))
    }

    @Test func aFrameWithARightChecksumIsSaidToBeValid() throws {
        let bench = try VirtioBench.running(features: VirtioBench.usual.union(.guestChecksum))
        bench.giveBuffers(4)
        var wrong = udpFrame()
        wrong[60] ^= 1
        for bytes in [udpFrame(), wrong, frame(byteCount: 60)] { try bench.arrive(bytes) }
        bench.step()
        let used = bench.receive.takeUsed()
        #expect(used.indices.map { bench.received($0, length: used[$0].length).header.flags } == [.dataValid, [], []])
    }

    @Test func withoutTheFeatureFlagsAreZero() throws {
        let bench = try VirtioBench.running()
        bench.giveBuffers(1)
        try bench.arrive(udpFrame())
        bench.step()
        #expect(bench.received(0, length: 80).header.flags == [])
    }

    @Test func framesBeyondTheMTUAreNotPassedUnlessTheTagMakesThemLonger() throws {
        let bench = try VirtioBench.running(options: VirtioNetOptions(mtu: 1500))
        bench.giveBuffers(4)
        for (byteCount, type) in [(1514, [0x88, 0xb5]), (1515, [0x88, 0xb5]), (1518, [0x81, 0x00]), (1519, [0x81, 0x00])]
            as [(Int, [UInt8])]
        {
            try bench.arrive(frame(byteCount: byteCount, type: type))
        }
        bench.step()
        #expect(bench.receive.takeUsed().map(\.length) == [1526, 1530])
        #expect(bench.counters.framesTooLong == 2)
    }

    @Test func framesFromBeforeTheDriverIsReadyAreGone() throws {
        let bench = try VirtioBench()
        try bench.arrive(frame())
        #expect(bench.step())
        #expect(bench.counters.framesWhileOff == 1)
        #expect(bench.wire.nextReceived() == nil)
    }

    /// A driver that cannot say what it wants gets everything; one that can gets its own and broadcasts.
    @Test func withReceiveControlOnlyOwnAndBroadcastFramesPass() throws {
        let others: [UInt64] = [VirtioBench.address, 0x0200_0000_0099, 0xffff_ffff_ffff, 0x0100_5e00_0001]
        for (features, expected) in [(VirtioBench.usual, 4), (VirtioBench.usual.union(.controlReceive), 2)] {
            let bench = try VirtioBench.running(features: features)
            bench.giveBuffers(8)
            for address in others { try bench.arrive(frame(to: address)) }
            bench.step()
            #expect(bench.receive.takeUsed().count == expected)
            #expect(bench.counters.framesFiltered == UInt64(4 - expected))
        }
    }

    @Test func theWireIsToldWhichFramesAreWanted() throws {
        let open = try VirtioBench.running()
        #expect(open.wire.announced == .some(nil))
        let bench = try VirtioBench.running(features: VirtioBench.usual.union(.controlReceive))
        #expect(bench.wire.announced == .some(VirtioBench.address))
        #expect(bench.command(.promiscuous, [1]) == .ok)
        #expect(bench.wire.announced == .some(nil))
        bench.writeStatus(0)
        #expect(bench.wire.announced == .some(nil))
    }

    /// Without MAC the driver has an address that the device does not know.
    @Test func aDriverWithAnAddressOfItsOwnGetsAllUnicastFrames() throws {
        let bench = try VirtioBench.running(features: VirtioBench.usual.union([.controlReceive, .controlMACAddress]).subtracting(.mac))
        bench.giveBuffers(8)
        try bench.arrive(frame(to: 0x0200_0000_0099))
        bench.step()
        #expect(bench.receive.takeUsed().count == 1)
        #expect(bench.command(.setMACAddress, addressBytes(0x0200_0000_0055)) == .ok)
        try bench.arrive(frame(to: 0x0200_0000_0099))
        try bench.arrive(frame(to: 0x0200_0000_0055))
        bench.step()
        #expect(bench.receive.takeUsed().count == 1)
    }
}
