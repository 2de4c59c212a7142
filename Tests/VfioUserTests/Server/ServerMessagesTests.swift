import DeviceMemory
import DeviceModel
import LinuxIO
import Testing

@testable import VfioUser

/// The server against bytes that a client might send.
@Suite struct ServerMessagesTests {
    @Test func versionIsAnsweredWithWhatWasProposedOnly() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path, negotiate: false)
        let proposal = VersionMessage(major: 0, minor: 2, capabilities: Capabilities(maximumMessageDescriptors: 8, writeMultiple: true))
        let reply = try peer.exchange(.version, proposal.emit(), id: 99)
        #expect(reply.header.isReply && !reply.header.isError && reply.header.id == 99 && reply.header.command == 1)
        #expect(
            try VersionMessage.parse(reply.payload)
                == VersionMessage(major: 0, minor: 2, capabilities: Capabilities(maximumMessageDescriptors: 16, writeMultiple: true)))
    }

    @Test func otherMajorVersionIsRefusedAndHungUp() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path, negotiate: false)
        #expect(try peer.exchange(.version, [1, 0, 0, 0]).header.isError)
        #expect(try peer.receive() == nil)
        #expect(server.eventually { $0.brokenConnections == 1 && !$0.isConnected })
    }

    @Test func commandBeforeVersionIsRefusedAndHungUp() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path, negotiate: false)
        let reply = try peer.exchange(.deviceReset, [])
        #expect(reply.header.isError && reply.header.errno == 22)
        #expect(try peer.receive() == nil)
    }

    @Test func secondVersionIsRefusedAndTheConnectionStays() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        #expect(try peer.exchange(.version, [0, 0, 0, 0]).header.isError)
        #expect(try !peer.exchange(.deviceReset, []).header.isError)
    }

    @Test(arguments: [0, 14, 19, 0xffff] as [UInt16])
    func unknownOrUnsupportedCommandIsRefusedAndTheConnectionStays(command: UInt16) throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        try peer.send(RawPeer.command(command, [1, 2, 3, 4]))
        let reply = try #require(try peer.receive())
        #expect(reply.header.isError && reply.header.errno == 95 && reply.header.command == command && reply.payload.isEmpty)
        #expect(try !peer.exchange(.deviceReset, []).header.isError)
    }

    @Test func deviceInfoIsAPCIFunctionThatResets() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        #expect(try peer.exchange(.deviceGetInfo, words(16, 0, 0, 0)).payload == words(16, 3, 9, 5))
    }

    @Test func regionInfoTakesTwoStepsAndGivesOneDescriptor() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let first = try peer.exchange(.deviceGetRegionInfo, words(32, 0, 0, 0) + longs(0, 0))
        #expect(first.payload == words(80, 3, 0, 0) + longs(0x4000, 0))
        #expect(first.descriptors.isEmpty)
        let second = try peer.exchange(.deviceGetRegionInfo, words(80, 3, 0, 0) + longs(0x4000, 0))
        #expect(second.descriptors.count == 1)
        let info = try RegionInfoMessage.parseReply(second.payload, descriptorCount: 1)
        #expect(info.areas == [0x2000..<0x3000, 0x3000..<0x4000] && info.isMappable)
    }

    @Test func trappedDoorbellsAreNoMappableArea() throws {
        var options = ServerOptions()
        options.trapDoorbells = true
        let server = try RunningServer(options)
        let peer = try RawPeer(connectingTo: server.path)
        let reply = try peer.exchange(.deviceGetRegionInfo, words(4096, 0, 0, 0) + longs(0, 0))
        #expect(reply.payload == words(32, 3, 0, 0) + longs(0x4000, 0) && reply.descriptors.isEmpty)
    }

    @Test func configSpaceIsReadWhole() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let reply = try peer.exchange(.regionRead, longs(0) + words(7, 256))
        // The one byte that counts its reads has counted this one.
        var expected = ToyModel.function.config
        expected[0x80] += 1
        #expect(Array(reply.payload.dropFirst(16)) == expected)
    }

    @Test func accessesOutsideOfARegionAreRefused() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let requests = [
            longs(0x3ffd) + words(0, 4), longs(.max) + words(0, 4), longs(0) + words(1, 4), longs(0) + words(6, 4), longs(0) + words(8, 4),
            longs(0) + words(9, 4), longs(0) + words(.max, 4), longs(253) + words(7, 4), longs(0) + words(0, 0), longs(0) + words(0, .max),
        ]
        for request in requests {
            let reply = try peer.exchange(.regionRead, request)
            #expect(reply.header.isError && reply.header.errno == 22, "\(request)")
        }
        #expect(server.eventually { $0.failedCommands >= 10 })
    }

    @Test func postedWriteIsDoneAndNotAnswered() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        try peer.send(RawPeer.command(10, longs(ToyModel.Offset.scratch) + words(0, 4) + words(0xfeed), id: 1, noReply: true))
        try peer.send(RawPeer.command(10, longs(.max) + words(0, 4) + words(0xfeed), id: 2, noReply: true))
        let reply = try peer.exchange(.regionRead, longs(ToyModel.Offset.scratch) + words(0, 4), id: 3)
        #expect(reply.header.id == 3 && Array(reply.payload.dropFirst(16)) == words(0xfeed))
    }

    @Test func severalCommandsInFlightAreAnsweredInOrder() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        try peer.send((0..<200).flatMap { RawPeer.command(9, longs(0) + words(0, 4), id: 1000 &+ UInt16($0)) })
        for id in 0..<200 { #expect(try peer.receive()?.header.id == 1000 + UInt16(id)) }
    }

    @Test func messageByteByByteIsUnderstood() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        for byte in RawPeer.command(9, longs(0) + words(0, 4)) { try peer.send([byte]) }
        #expect(try peer.receive()?.payload == longs(0) + words(0, 4) + words(UInt32(ToyModel.identity)))
    }

    @Test func payloadThatNeverComesLeavesTheServerAbleToStop() throws {
        var server: RunningServer? = try RunningServer()
        let peer = try RawPeer(connectingTo: #require(server).path)
        try peer.send(Array(RawPeer.command(9, longs(0) + words(0, 4)).prefix(20)))
        server = nil
        #expect(try peer.receive() == nil)
    }

    @Test(arguments: [0, 15, 0xffff_ffff, 0x0020_0000] as [UInt32]) func impossibleSizeIsRefusedAndHungUp(size: UInt32) throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        try peer.send([5, 0, 9, 0] + words(size, 0, 0))
        let reply = try #require(try peer.receive())
        #expect(reply.header.isError && reply.header.errno == 22 && reply.header.id == 5)
        #expect(try peer.receive() == nil)
        #expect(server.eventually { $0.brokenConnections == 1 })
        #expect(throws: Never.self) { _ = try server.device() }
    }

    @Test func garbageOfManySeedsNeverStopsTheServer() throws {
        let server = try RunningServer()
        var random = SeededGenerator(seed: 0x5eed)
        for _ in 0..<100 {
            let peer = try RawPeer(connectingTo: server.path, negotiate: Bool.random(using: &random))
            var bytes = (0..<Int.random(in: 1...400, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            // Half of them with a header that is good, so that the payloads' parsers see garbage too.
            if Bool.random(using: &random) { bytes = RawPeer.command(UInt16.random(in: 0...20, using: &random), bytes) }
            try? peer.send(bytes)
        }
        #expect(server.eventually { $0.connections + $0.refusedConnections >= 1 })
        #expect(eventually { (try? server.device().readRegion(0, at: 0, byteCount: 4)) == ToyModel.identity })
    }

    @Test func replyToNoCommandEndsTheConnection() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        try peer.send(MessageHeader(id: 1, command: 9, payloadByteCount: 0, isReply: true).emit())
        #expect(try peer.receive() == nil)
        #expect(server.eventually { $0.brokenConnections == 1 })
    }

    @Test func clientThatStopsReadingIsDropped() throws {
        var options = ServerOptions()
        options.stalledClientMilliseconds = 100
        let server = try RunningServer(options)
        let peer = try RawPeer(connectingTo: server.path)
        let read = RawPeer.command(9, longs(0) + words(0, 0x4000))
        for _ in 0..<200 { try? peer.send(read) }
        #expect(server.eventually { $0.brokenConnections == 1 && !$0.isConnected })
        #expect(throws: Never.self) { _ = try server.device() }
    }

    @Test func setIRQsBeyondTheCountIsRefused() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        for payload in [
            words(20, 0x21, 2, 4, 2), words(20, 0x21, 2, .max, 1), words(20, 0x21, 5, 0, 1), words(20, 0x21, 1, 0, 1),
            words(20, 0x29, 3, 0, 1),
        ] {
            #expect(try peer.exchange(.deviceSetIRQs, payload).header.errno == 22)
        }
    }

    @Test func errorAndRequestEventfdsAreAccepted() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        for index: UInt32 in [3, 4] {
            let event = try EventFD()
            #expect(try !peer.exchange(.deviceSetIRQs, words(20, 0x24, index, 0, 1), descriptors: [event.number]).header.isError)
            #expect(try !peer.exchange(.deviceSetIRQs, words(20, 0x21, index, 0, 1)).header.isError)
            #expect(event.drain() == 1)
            #expect(try !peer.exchange(.deviceSetIRQs, words(20, 0x21, index, 0, 0)).header.isError)
        }
    }

    @Test func msixVectorWithoutDescriptorIsNoTriggerAndSucceeds() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        #expect(try !peer.exchange(.deviceSetIRQs, words(20, 0x24, 2, 0, 1)).header.isError)
    }

    @Test func maskedVectorIsDeliveredWhenUnmasked() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let event = try EventFD()
        _ = try peer.exchange(.deviceSetIRQs, words(20, 0x24, 2, 1, 1), descriptors: [event.number])
        _ = try peer.exchange(.deviceSetIRQs, words(22, 0x0a, 2, 0, 2) + [0, 1])
        _ = try peer.exchange(.deviceSetIRQs, words(20, 0x21, 2, 1, 1))
        #expect(event.drain() == 0)
        _ = try peer.exchange(.deviceSetIRQs, words(20, 0x11, 2, 1, 1))
        #expect(event.drain() == 1)
    }

    @Test func fewerDescriptorsThanVectorsAreRefusedAndChangeNothing() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let old = try (0..<4).map { _ in Shared(try EventFD()) }
        let new = [Shared(try EventFD()), Shared(try EventFD())]
        #expect(try !peer.exchange(.deviceSetIRQs, words(20, 0x24, 2, 0, 4), descriptors: old.map(\.number)).header.isError)
        let reply = try peer.exchange(.deviceSetIRQs, words(20, 0x24, 2, 0, 4), descriptors: new.map(\.number))
        #expect(reply.header.isError && reply.header.errno == 22 && reply.payload.isEmpty)
        #expect(try !peer.exchange(.deviceSetIRQs, words(20, 0x21, 2, 0, 4)).header.isError)
        #expect(old.map { $0.event.drain() } == [1, 1, 1, 1] && new.map { $0.event.drain() } == [0, 0])
        for event in new { #expect(OpenDescriptors.count(ofEventFD: event.number) == 1) }
    }

    /// In an array.
    private final class Shared {
        let event: EventFD
        init(_ event: consuming EventFD) { self.event = event }
        var number: Int32 { event.number }
    }

    @Test func descriptorThatIsNoEventfdIsRefused() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let pair = try UnixSocketPair()
        let reply = try peer.exchange(.deviceSetIRQs, words(20, 0x24, 2, 0, 1), descriptors: [pair.first.number])
        #expect(reply.header.errno == 22)
    }
}

/// The same numbers for the same seed (SplitMix64, Steele, Lea, Flood 2014).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
