import LinuxIO
import Testing

@testable import VfioUser

/// Migration and logs of written memory, in raw bytes.
@Suite struct ServerMigrationTests {
    private static let get: UInt32 = 1 << 16, set: UInt32 = 1 << 17, probe: UInt32 = 1 << 18

    private func state(_ peer: RawPeer) throws -> UInt32? {
        let reply = try peer.exchange(.deviceFeature, words(16, 2 | Self.get))
        return reply.header.isError ? nil : reply.payload.field32(at: 8)
    }

    private func go(_ peer: RawPeer, _ state: UInt32) throws -> UInt32 {
        try peer.exchange(.deviceFeature, words(16, 2 | Self.set, state, .max)).header.errno
    }

    private func scratch(_ peer: RawPeer) throws -> UInt64 {
        Array(try peer.exchange(.regionRead, longs(ToyModel.Offset.scratch) + words(0, 8)).payload.suffix(8)).littleEndianValue
    }

    @Test func featuresAreProbedAndGot() throws {
        let server = try RunningServer()
        let client = try RawPeer(connectingTo: server.path)
        for (feature, actions) in [(1, Self.get), (2, Self.get | Self.set), (6, Self.set), (7, Self.set), (8, Self.get)]
            as [(UInt32, UInt32)]
        {
            let request = words(8, feature | actions | Self.probe)
            #expect(try client.exchange(.deviceFeature, request).payload == request)
        }
        #expect(try client.exchange(.deviceFeature, words(16, 1 | Self.get)).payload == words(16, 1 | Self.get, 1, 0))
        #expect(try client.exchange(.deviceFeature, words(16, 2 | Self.get)).payload == words(16, 2 | Self.get, 2, .max))
        // What cannot be, what is not known, what has no room.
        #expect(try client.exchange(.deviceFeature, words(8, 1 | Self.set | Self.probe)).header.errno == 22)
        #expect(try client.exchange(.deviceFeature, words(8, 3 | Self.get)).header.errno == 95)
        #expect(try client.exchange(.deviceFeature, words(15, 1 | Self.get)).header.errno == 22)
        for bad in [words(8, 1), words(8, 1 | Self.get | Self.set), words(8, 1 | 1 << 19), words(7, 1 | Self.get), words(8)] {
            #expect(try client.exchange(.deviceFeature, bad).header.errno == 22)
        }
    }

    @Test func stateGoesFromOneServerToAnother() throws {
        let (source, target) = (try RunningServer(), try RunningServer())
        let (from, to) = (try RawPeer(connectingTo: source.path), try RawPeer(connectingTo: target.path))
        _ = try from.exchange(.regionWrite, longs(ToyModel.Offset.scratch) + words(0, 8) + longs(0x1122_3344_5566_7788))
        // Straight from RUNNING, by way of STOP.
        #expect(try go(from, 3) == 0)
        #expect(try state(from) == 3)
        let first = try from.exchange(.migrationDataRead, words(64, 4)).payload
        let second = try from.exchange(.migrationDataRead, words(64, 56)).payload
        #expect(first.field32(at: 4) == 4 && second.field32(at: 4) == 5, "less than asked for: that was all")
        #expect(try go(to, 4) == 0)
        for piece in [first, second] {
            let reply = try to.exchange(.migrationDataWrite, words(8, piece.field32(at: 4)) + piece.dropFirst(8))
            #expect(!reply.header.isError && reply.payload.isEmpty)
        }
        #expect(try go(to, 2) == 0)
        #expect(try scratch(to) == 0x1122_3344_5566_7788)
        #expect(try go(from, 2) == 0)
        #expect(try state(from) == 2 && state(to) == 2)
    }

    @Test func badDataIsAnErrorThatOnlyAResetEnds() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        #expect(try go(peer, 4) == 0)
        _ = try peer.exchange(.migrationDataWrite, words(8, 3) + [1, 2, 3])
        #expect(try go(peer, 2) == 5)
        #expect(try state(peer) == 0)
        #expect(try go(peer, 2) == 22)
        #expect(try !peer.exchange(.deviceReset, []).header.isError)
        #expect(try state(peer) == 2)
    }

    @Test func statesAndDataThatCannotBeAreRefused() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        for state in [0, 5, 6, 7, 8, .max] as [UInt32] { #expect(try go(peer, state) == 22) }
        #expect(try peer.exchange(.deviceFeature, words(12, 2 | Self.set, 1)).header.errno == 22)
        #expect(try peer.exchange(.migrationDataRead, words(64, 8)).header.errno == 22)
        #expect(try peer.exchange(.migrationDataWrite, words(8, 1) + [1]).header.errno == 22)
        #expect(try go(peer, 4) == 0)
        for bad in [words(8, 2) + [1], words(8, 0), words(7, 1) + [1], words(8, 0x20_0000), [1]] {
            #expect(try peer.exchange(.migrationDataWrite, bad).header.errno == 22)
        }
        // A stream without an end.
        let piece = words(8, 1 << 20) + [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<16 { #expect(try !peer.exchange(.migrationDataWrite, piece).header.isError) }
        #expect(try peer.exchange(.migrationDataWrite, piece).header.errno == 28)
    }

    /// A device that is stopped sees no doorbell.
    @Test func aStoppedDeviceDoesNothing() throws {
        var options = ServerOptions()
        options.busyPoll = true
        let server = try RunningServer(options)
        let peer = try RawPeer(connectingTo: server.path)
        let region = try peer.exchange(.deviceGetRegionInfo, words(80, 0, 0, 0) + longs(0, 0))
        guard let file = region.takeDescriptor() else {
            Issue.record("no file came")
            return
        }
        let pages = try MappedPages(sharing: file, fileOffset: 0x2000, byteCount: 4096, subject: "doorbells")
        func doorbells() throws -> UInt64 {
            Array(try peer.exchange(.regionRead, longs(ToyModel.Offset.doorbells) + words(0, 8)).payload.suffix(8)).littleEndianValue
        }
        #expect(try go(peer, 1) == 0)
        // SAFETY: inside of the page just mapped.
        unsafe pages.address.storeBytes(of: 1, as: UInt32.self)
        sleepMicroseconds(50_000)
        #expect(try doorbells() == 0)
        #expect(try go(peer, 2) == 0)
        #expect(eventually { (try? doorbells()) == 1 })
    }

    @Test func whatCouldBeWrittenIsReported() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let file = try MemoryFile.create(name: "logged", byteCount: 0x4000)
        func map(_ flags: UInt32, _ iova: UInt64) throws {
            #expect(try !peer.exchange(.dmaMap, words(32, flags) + longs(0, iova, 0x1000), descriptors: [file.number]).header.isError)
        }
        func report(_ size: UInt32 = 40, page: UInt64 = 4096) throws -> IncomingMessage {
            try peer.exchange(.deviceFeature, words(size, 8 | Self.get) + longs(0x10000, 0x4000, page))
        }
        #expect(try report().header.errno == 22, "nobody asked for a log yet")
        try map(3, 0x10000)
        try map(1, 0x11000)
        try map(3, 0x13000)
        let start = words(40, 6 | Self.set) + longs(4096) + words(1, 0) + longs(0x10000, 0x3000)
        #expect(try peer.exchange(.deviceFeature, start).payload == start)
        #expect(try peer.exchange(.deviceFeature, start).header.errno == 16)
        #expect(try report().payload == words(40, 8 | Self.get) + longs(0x10000, 0x4000, 4096, 0b0001))
        try map(3, 0x12000)
        _ = try peer.exchange(.dmaUnmap, words(24, 0) + longs(0x12000, 0x1000))
        #expect(try report().payload.suffix(8) == longs(0b0101)[...], "unmapped, but it could be written before")
        #expect(try report(39).header.errno == 22)
        for page in [0, 3, 2048, 1 << 50] as [UInt64] { #expect(try report(page: page).header.errno == 22) }
        let stop = words(8, 7 | Self.set)
        #expect(try peer.exchange(.deviceFeature, stop).payload == stop)
        #expect(try report().header.errno == 22)
        for bad in [
            longs(4096) + words(1, 0), longs(100) + words(0, 0), longs(4096) + words(.max, 0), longs(4096) + words(1, 0) + longs(0, 0),
        ] {
            #expect(try peer.exchange(.deviceFeature, words(40, 6 | Self.set) + bad).header.errno == 22)
        }
    }
}
