import Testing

@testable import MPIBridge

/// Regions that are closed while peers use them.
@Suite struct UnregisterTests {
    private let pair = Pair()
    private let region = TestBytes((0..<300_000).map { UInt8($0 / 7 % 128) })
    private let place = TestBytes(count: 300_000)

    init() {
        // SAFETY: the region lives as long as this.
        let added = unsafe pair.b.endpoint.register(address: region.address, byteCount: region.byteCount, key: 1, access: [.remoteRead])
        #expect(added)
    }

    private func read(_ byteCount: Int) {
        let request = RemoteMemoryRequest(
            .read, peer: pair.a.other, memory: place.application.part(offset: 0, byteCount: byteCount), remoteOffset: 0, remoteKey: 1,
            context: 1)
        #expect(pair.a.access(request, now: pair.now) == .accepted)
    }

    private func scribble() {
        // SAFETY: the bytes are this test's.
        unsafe UnsafeMutableRawPointer(bitPattern: region.address)?.initializeMemory(
            as: UInt8.self, repeating: 0xee, count: region.byteCount)
    }

    private func expectBothLive() {
        #expect(pair.a.counters.failedPeers == 0 && pair.b.counters.failedPeers == 0)
        let hello = TestBytes(count: 8, 5)
        let receive = ReceiveRequest(space: .tagged, tag: 0, memory: place.application, context: 9, options: .completes)
        #expect(pair.a.receive(receive, now: pair.now) == .accepted)
        let send = SendRequest(to: pair.b.other, space: .tagged, tag: 0, memory: hello.application, options: [.completes, .inject])
        #expect(pair.b.send(send, now: pair.now) == .accepted)
        pair.exchange()
        pair.advance(by: 10_000_000)
        #expect(pair.a.completions.last?.context == 9)
        #expect(pair.a.residue.isEmpty && pair.b.residue.isEmpty)
    }

    /// The reader has all of it and is slow to say so, or its word was lost: it may compute for long.
    @Test(arguments: [100, 40_000]) func aReadThatIsOnlyNotAcknowledgedEndsWell(byteCount: Int) {
        read(byteCount)
        // Nothing of the reader passes but the read itself.
        pair.exchange { kind($0) != .acknowledgement }
        #expect(pair.a.completions.map(\.context) == [1])
        #expect(pair.b.unregister(key: 1))
        pair.advance(by: 5_000_000_000)
        pair.exchange()
        #expect(place.bytes.prefix(byteCount) == region.bytes.prefix(byteCount))
        expectBothLive()
    }

    /// What was sent and lost is sent again, as it was when the region was closed.
    @Test func whatIsOnItsWayIsKept() {
        let expected = Array(region.bytes.prefix(40_000))
        read(40_000)
        pair.exchange { kind($0) != .bulk }
        #expect(pair.a.completions.isEmpty)
        #expect(pair.b.unregister(key: 1))
        scribble()
        pair.advance(by: 5_000_000_000)
        #expect(pair.a.completions.map(\.context) == [1] && pair.a.completions.first?.error == nil)
        #expect(place.bytes.prefix(40_000) == expected[...])
        expectBothLive()
    }

    /// What was not sent yet is refused, and nobody is given up.
    @Test func theRestOfALongReadIsRefused() {
        read(300_000)
        pair.exchange { kind($0) != .bulk }
        #expect(pair.b.unregister(key: 1))
        scribble()
        pair.advance(by: 5_000_000_000)
        #expect(pair.a.completions.map(\.context) == [1] && pair.a.completions.first?.error == .remoteAccess)
        #expect(!place.bytes.contains(0xee))
        expectBothLive()
    }
}
