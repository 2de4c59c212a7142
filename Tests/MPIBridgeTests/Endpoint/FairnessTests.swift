import Testing

@testable import MPIBridge

/// Small messages and long answers to one peer share its window.
@Suite struct FairnessTests {
    private let region = TestBytes(count: 400_000, 1)
    private let place = TestBytes(count: 400_000)
    private let small = TestBytes(count: 8, 2)

    /// Who streams messages until a read of its memory has ended, which is what tells it to stop.
    @Test func aReadEndsWhileMessagesGoOn() {
        let pair = Pair { $0.eagerLimit = 1_000 }
        // SAFETY: the region lives as long as this.
        let added = unsafe pair.b.endpoint.register(address: region.address, byteCount: region.byteCount, key: 1, access: [.remoteRead])
        #expect(added)
        let read = RemoteMemoryRequest(
            .read, peer: pair.a.other, memory: place.application, remoteOffset: 0, remoteKey: 1, context: 1)
        let message = SendRequest(to: pair.b.other, space: .tagged, tag: 0, memory: small.application, options: .inject)
        let receive = ReceiveRequest(space: .tagged, tag: 0, memory: place.application.part(offset: 0, byteCount: 8), context: 2)
        var rounds = 0
        var messages: UInt64 = 0
        for round in 0..<4_000 where !pair.a.completions.contains(where: { $0.context == 1 }) {
            rounds = round
            while pair.a.endpoint.receives.count < 200, pair.a.receive(receive, now: pair.now) == .accepted {}
            while pair.b.send(message, now: pair.now) == .accepted {}
            if round == 20 { #expect(pair.a.access(read, now: pair.now) == .accepted) }
            messages = pair.b.counters.messagesSent
            pair.exchange(rounds: 1)
        }
        #expect(pair.a.completions.contains { $0.context == 1 && $0.error == nil }, "not after \(rounds) rounds")
        #expect(place.bytes.last == 1 && messages > 1_000)
    }

    /// The other way round: a message does not wait for the end of long ones.
    @Test func messagesGoOnWhileLongOnesDo() {
        let pair = Pair { $0.eagerLimit = 1_000 }
        let long = SendRequest(to: pair.b.other, space: .tagged, tag: 1, memory: region.application, context: 1, options: .completes)
        #expect(
            pair.a.receive(
                ReceiveRequest(space: .tagged, tag: 1, memory: place.application, context: 1, options: .completes), now: pair.now)
                == .accepted)
        #expect(pair.b.send(long, now: pair.now) == .accepted)
        pair.exchange(rounds: 6)
        #expect(pair.a.completions.isEmpty)
        let other = TestBytes(count: 8)
        #expect(
            pair.a.receive(
                ReceiveRequest(space: .tagged, tag: 0, memory: other.application, context: 2, options: .completes), now: pair.now)
                == .accepted)
        #expect(
            pair.b.send(SendRequest(to: pair.b.other, space: .tagged, tag: 0, memory: small.application, options: .inject), now: pair.now)
                == .accepted)
        pair.exchange()
        #expect(pair.a.completions.map(\.context) == [2, 1])
    }
}
