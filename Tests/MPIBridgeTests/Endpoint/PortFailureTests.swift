import Testing

@testable import MPIBridge

/// A device that is gone: everything ends with that error, at once, and nothing is left.
@Suite struct PortFailureTests {
    private let memory = TestBytes(count: 100_000, 1)

    private func receive(_ pair: Pair, from peer: PeerID, context: UInt, options: OperationOptions = .completes) -> Posting {
        pair.a.receive(
            ReceiveRequest(from: peer, space: .tagged, tag: 1, memory: memory.application, context: context, options: options),
            now: pair.now)
    }

    private func send(_ pair: Pair, context: UInt, byteCount: Int = 100) -> Posting {
        pair.a.send(
            SendRequest(
                to: pair.a.other, space: .tagged, tag: 2, memory: memory.application.part(offset: 0, byteCount: byteCount),
                context: context, options: [.completes, .delivery]), now: pair.now)
    }

    @Test func everyOperationEndsAndLaterOnesAreRefused() {
        let pair = Pair()
        // A message of which half has come.
        #expect(receive(pair, from: pair.a.other, context: 1) == .accepted)
        let half = SendRequest(to: pair.b.other, space: .tagged, tag: 1, memory: memory.application.part(offset: 0, byteCount: 5_000))
        #expect(pair.b.send(half, now: pair.now) == .accepted)
        let first = sequence(pair.b.sent[0])
        pair.carry(from: pair.b, to: pair.a) { sequence($0) == first }
        // One that is asked for, a read, a write; and what waits for anybody.
        #expect(send(pair, context: 2, byteCount: 100_000) == .accepted)
        for (direction, context) in [(.read, 3), (.write, 4)] as [(RemoteMemoryRequest.Direction, UInt)] {
            let request = RemoteMemoryRequest(
                direction, peer: pair.a.other, memory: memory.application, remoteOffset: 0, remoteKey: 1, context: context)
            #expect(pair.a.access(request, now: pair.now) == .accepted)
        }
        #expect(receive(pair, from: .any, context: 5) == .accepted)
        #expect(receive(pair, from: .any, context: 6, options: [.completes, .multiReceive]) == .accepted)
        #expect(receive(pair, from: pair.a.other, context: 7) == .accepted)

        pair.a.endpoint.declarePortDead()
        pair.a.sent = []
        pair.a.progress(pair.now)
        #expect(pair.a.completions.map(\.context).sorted() == [1, 2, 3, 4, 5, 6, 7])
        #expect(pair.a.completions.allSatisfy { $0.error == .portFailed })
        #expect(pair.a.completions.first { $0.context == 6 }?.releasesBuffer == true)
        #expect(pair.a.residue.isEmpty && pair.a.isQuiet && pair.a.counters.failedPeers == 0)

        #expect(send(pair, context: 8) == .refused(.portFailed))
        #expect(receive(pair, from: .any, context: 9) == .refused(.portFailed))
        #expect(receive(pair, from: pair.a.other, context: 9) == .refused(.portFailed))
        let stranger = EndpointAddress(key: 77, mac: pair.b.address.mac, ipv4: 9, udpPort: 9)
        let new = pair.a.endpoint.peer(for: stranger, now: pair.now) ?? .any
        #expect(pair.a.send(SendRequest(to: new, space: .tagged, memory: memory.application), now: pair.now) == .refused(.portFailed))
    }

    /// Nobody is asked, nobody is waited for, and the owner may sleep as long as it likes.
    @Test func nothingGoesOutAnyMoreAndNoTimerRuns() {
        let pair = Pair()
        for context in 1...10 as ClosedRange<UInt> { #expect(send(pair, context: context) == .accepted) }
        pair.a.sent = []
        pair.a.endpoint.declarePortDead()
        for second in 1...300 { pair.a.progress(pair.now + UInt64(second) * 1_000_000_000) }
        pair.a.endpoint.sayGoodbye(now: pair.now + 400_000_000_000)
        #expect(pair.a.sent.isEmpty)
        #expect(pair.a.nextDeadline == .max)
        #expect(pair.a.completions.count == 10)
        // Said twice, it is one end.
        pair.a.endpoint.declarePortDead()
        #expect(pair.a.completionCount == 0)
    }

    @Test func datagramsEndToo() {
        let pair = Pair()
        var endpoint = DatagramEndpoint(port: pair.a.port, address: pair.a.address, options: TransportOptions())
        let peer = endpoint.peer(for: pair.b.address) ?? .any
        for context in 1...3 as ClosedRange<UInt> {
            let posting = endpoint.receive(ReceiveRequest(space: .untagged, memory: memory.application, context: context))
            #expect(posting == .accepted)
        }
        endpoint.declarePortDead()
        var ended: [UInt] = []
        while let completion = endpoint.takeCompletion() {
            #expect(completion.error == .portFailed)
            ended.append(completion.context)
        }
        #expect(ended == [1, 2, 3])
        let request = SendRequest(to: peer, space: .untagged, memory: memory.application.part(offset: 0, byteCount: 10))
        let (sending, receiving) = (endpoint.send(request), endpoint.receive(ReceiveRequest(space: .untagged, memory: memory.application)))
        #expect(sending == .refused(.portFailed) && receiving == .refused(.portFailed))
    }
}
