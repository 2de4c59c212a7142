import Testing

@testable import MPIBridge

@Suite struct MatchingTests {
    private let pair = Pair()
    private let place = TestBytes(count: 256)

    private func send(tag: UInt64, byte: UInt8 = 0, count: Int = 8, space: MessageSpace = .tagged) {
        let memory = TestBytes(count: count, byte)
        let request = SendRequest(
            to: pair.a.other, space: space, tag: tag, memory: memory.application, options: [.completes, .inject])
        #expect(pair.a.send(request, now: pair.now) == .accepted)
    }

    private func post(
        from peer: PeerID = .any, tag: UInt64 = 0, ignore: UInt64 = 0, space: MessageSpace = .tagged, context: UInt,
        memory: TestBytes? = nil,
        options: OperationOptions = .completes
    ) {
        let request = ReceiveRequest(
            from: peer, space: space, tag: tag, ignore: ignore, memory: (memory ?? place).application, context: context, options: options)
        #expect(pair.b.receive(request, now: pair.now) == .accepted)
    }

    private func peek(tag: UInt64, mode: MessageEndpoint.PeekMode, context: UInt) -> Completion? {
        let request = ReceiveRequest(space: .tagged, tag: tag, memory: .none, context: context)
        return pair.b.peek(request, mode: mode, now: pair.now)
    }

    @Test func theOldestReceiveThatAcceptsItGetsAMessage() {
        post(tag: 1, context: 1)
        post(tag: 2, context: 2)
        post(ignore: .max, context: 3)
        post(tag: 2, context: 4)
        for tag in [2, 2, 1, 2] as [UInt64] { send(tag: tag) }
        pair.exchange()
        #expect(pair.b.completions.map(\.context) == [2, 3, 1, 4])
        #expect(pair.b.completions.map(\.tag) == [2, 2, 1, 2])
    }

    @Test func theOldestMessageThatItAcceptsGoesToAReceive() {
        for (index, tag) in ([5, 6, 5, 7] as [UInt64]).enumerated() { send(tag: tag, byte: UInt8(index), count: index + 1) }
        pair.exchange()
        post(tag: 5, context: 1)
        post(tag: 4, ignore: 3, context: 2)
        post(tag: 5, context: 3)
        pair.exchange()
        #expect(pair.b.completions.map(\.byteCount) == [1, 2, 3])
    }

    @Test func taggedAndUntaggedAreApart() {
        post(ignore: .max, context: 1)
        send(tag: 0, space: .untagged)
        pair.exchange()
        #expect(pair.b.completions.isEmpty)
        post(space: .untagged, context: 2)
        pair.exchange()
        #expect(pair.b.completions.map(\.context) == [2])
    }

    @Test func aReceiveFromAnotherPeerDoesNotMatch() {
        let other = EndpointAddress(key: 99, mac: pair.a.address.mac, ipv4: 77, udpPort: 7)
        guard let stranger = pair.b.endpoint.peer(for: other, now: pair.now) else {
            Issue.record("no room for a peer")
            return
        }
        post(from: stranger, ignore: .max, context: 1)
        post(from: pair.b.other, ignore: .max, context: 2)
        send(tag: 0)
        pair.exchange()
        #expect(pair.b.completions.map(\.context) == [2])
    }

    @Test func aBufferForSeveralIsFilledFromItsStartAndReleasedOnce() {
        let buffer = TestBytes(count: 200)
        post(ignore: .max, context: 1, memory: buffer, options: [.completes, .multiReceive])
        for byte in 1...5 as ClosedRange<UInt8> { send(tag: 0, byte: byte, count: 50) }
        pair.exchange()
        // Less than 64 bytes are left after the third.
        #expect(pair.b.completions.map(\.releasesBuffer) == [false, false, true])
        #expect(pair.b.completions.map { Int($0.address) - Int(buffer.address) } == [0, 50, 100])
        #expect(buffer.bytes == [1, 2, 3].flatMap { [UInt8](repeating: $0, count: 50) } + [UInt8](repeating: 0, count: 50))
        #expect(pair.b.residue.unexpected == 2)
    }

    @Test func aCanceledBufferForSeveralIsReleased() {
        post(ignore: .max, context: 1, options: [.completes, .multiReceive])
        send(tag: 0)
        pair.exchange()
        #expect(pair.b.cancelReceive(context: 1))
        pair.exchange()
        #expect(pair.b.completions.map(\.error) == [nil, .canceled] && pair.b.completions.map(\.releasesBuffer) == [false, true])
        #expect(!pair.b.cancelReceive(context: 1))
    }

    @Test func aPeekSeesAndAClaimHolds() {
        #expect(peek(tag: 3, mode: .look, context: 1)?.error == .noMessage)
        send(tag: 3, count: 5)
        send(tag: 3, count: 6)
        pair.exchange()
        #expect(peek(tag: 3, mode: .look, context: 2)?.byteCount == 5)
        #expect(peek(tag: 3, mode: .claim, context: 3)?.byteCount == 5)
        #expect(peek(tag: 3, mode: .look, context: 4)?.byteCount == 6)
        post(tag: 3, context: 5)
        pair.exchange()
        #expect(pair.b.completions.map(\.byteCount) == [6])
        let request = ReceiveRequest(space: .tagged, memory: place.application, context: 3)
        #expect(pair.b.receiveClaimed(request, now: pair.now) == .accepted)
        pair.exchange()
        #expect(pair.b.completions.map(\.byteCount) == [6, 5])
        #expect(pair.b.receiveClaimed(request, now: pair.now) == .refused(.noMessage))
    }

    @Test func whatIsThrownAwayIsGoneAndItsSenderIsDone() {
        let long = TestBytes(count: 50_000)
        let request = SendRequest(
            to: pair.a.other, space: .tagged, tag: 3, memory: long.application, context: 9, options: [.completes, .delivery])
        #expect(pair.a.send(request, now: pair.now) == .accepted)
        send(tag: 3)
        pair.exchange()
        #expect(peek(tag: 3, mode: .discard, context: 1)?.byteCount == 50_000)
        #expect(peek(tag: 3, mode: .claim, context: 2)?.byteCount == 8)
        #expect(pair.b.discardClaimed(context: 2, space: .tagged, now: pair.now))
        pair.exchange()
        // Until the last acknowledgement is there.
        pair.advance(by: 1_000_000)
        #expect(pair.a.completions.contains { $0.context == 9 && $0.error == nil })
        #expect(pair.b.completions.isEmpty && pair.b.residue.isEmpty)
    }

    @Test func whatHasNoRoomIsToldOf() {
        let small = TestBytes(count: 10)
        post(tag: 1, context: 1, memory: small)
        send(tag: 1, byte: 4, count: 25)
        pair.exchange()
        let completion = pair.b.completions.first
        #expect(completion?.error == .truncated && completion?.byteCount == 10 && completion?.truncatedByteCount == 15)
        #expect(small.bytes == [UInt8](repeating: 4, count: 10))
    }
}
