import Testing
import TransportSimulation

@testable import MPIBridge

/// Reads and writes of both sides in numbers that no table has room for.
@Suite struct RequestLimitTests {
    private let regions = (TestBytes(count: 20_000, 1), TestBytes(count: 20_000, 2))
    private let memory = TestBytes(count: 20_000, 3)

    private func register(_ pair: Pair) {
        for (end, region) in [(pair.a, regions.0), (pair.b, regions.1)] {
            // SAFETY: the regions live as long as this.
            let added = unsafe end.endpoint.register(
                address: region.address, byteCount: region.byteCount, key: 1, access: [.remoteRead, .remoteWrite])
            #expect(added)
        }
    }

    private func request(_ end: Pair.End, _ number: Int, key: UInt64 = 1) -> RemoteMemoryRequest {
        // Reads, long writes that are asked for, short ones; some of nothing.
        let direction: RemoteMemoryRequest.Direction = number % 2 == 0 ? .read : .write
        let byteCount = [4_000, 9_000, 1, 17_000, 8, 0, 1_500][number % 7]
        return RemoteMemoryRequest(
            direction, peer: end.other, memory: memory.application.part(offset: 0, byteCount: byteCount), remoteOffset: UInt64(number % 3),
            remoteKey: key, context: UInt(number))
    }

    /// As many as it takes now.
    private func flood(_ end: Pair.End, _ posted: inout Int, of count: Int, now: UInt64) {
        while posted < count, end.access(request(end, posted), now: now) == .accepted { posted += 1 }
    }

    /// Names can be guessed: the end of a read, or bytes for one, that its owner was not asked for yet.
    @Test(arguments: [.outcome, .bulk] as [FrameKind]) func whatWasNotAskedForCannotEnd(kind: FrameKind) throws {
        let pair = Pair { $0.requestCredit = 4 }
        register(pair)
        for number in 0..<6 {
            let read = RemoteMemoryRequest(
                .read, peer: pair.a.other, memory: memory.application.part(offset: 0, byteCount: 8), remoteOffset: 0, remoteKey: 1,
                context: UInt(number))
            #expect(pair.a.endpoint.access(read, now: pair.now) == .accepted)
        }
        var names: [OperationName] = []
        for index in 0..<UInt32(pair.a.endpoint.receives.touched) where pair.a.endpoint.receives.isInUse(index) {
            let operation = pair.a.endpoint.receives[index]
            if operation.kind == .read, !operation.isAsked { names.append(OperationName(receive: index, generation: operation.generation)) }
        }
        #expect(names.count == 2)
        let name = try #require(names.first)
        var frame = ForgedFrame(
            kind: kind.rawValue, from: pair.b.address, to: pair.a.address,
            words: kind == .outcome ? [name.word, UInt64(TransportError.remoteAccess.rawValue)] : [name.word, 0],
            payload: kind == .outcome ? [] : [UInt8](repeating: 9, count: 8))
        frame.sequence = Peer.firstSequence(from: pair.b.address.key, to: pair.a.address.key)
        frame.acknowledgement = Peer.firstSequence(from: pair.a.address.key, to: pair.b.address.key)
        pair.a.port.arrive(frame.bytes)
        pair.a.progress(pair.now)
        #expect(pair.a.counters.failedPeers == 1)
        #expect(pair.a.completions.map(\.context).sorted() == Array(0..<6) && pair.a.completions.allSatisfy { $0.error == .peerFailed })
        #expect(memory.bytes.prefix(8).allSatisfy { $0 == 3 } && pair.a.residue.isEmpty)
    }

    @Test(arguments: [(1, 0), (4, 0), (16, 0), (1, 100), (4, 100), (16, 20)] as [(UInt32, UInt64)])
    func bothSidesFloodAndAllEnds(credit: UInt32, lossOneOf: UInt64) {
        let pair = Pair {
            $0.requestCredit = credit
            $0.sendCapacity = 8
            $0.receiveCapacity = 64
            $0.retainedFrames = 32
            $0.eagerLimit = 8_192
        }
        register(pair)
        let count = 1_500
        var (fromA, fromB) = (0, 0)
        var random = SplitMix(seed: 11)
        let passes: ([UInt8]) -> Bool = { _ in lossOneOf == 0 || random.next() % lossOneOf != 0 }
        var (ended, idleRounds) = (0, 0)
        for _ in 0..<20_000 where ended < 2 * count && idleRounds < 500 {
            flood(pair.a, &fromA, of: count, now: pair.now)
            flood(pair.b, &fromB, of: count, now: pair.now)
            pair.exchange(rounds: 4, passes: passes)
            if pair.a.sent.isEmpty, pair.b.sent.isEmpty {
                // To the next timer; one who has something to do at once, and does not, is not waited for long.
                let next = min(pair.a.nextDeadline, pair.b.nextDeadline)
                pair.advance(by: next > pair.now ? min(next - pair.now + 1, 2_000_000_000) : 1_000, passes: passes)
            }
            let now = pair.a.completions.count + pair.b.completions.count
            idleRounds = now == ended ? idleRounds + 1 : 0
            ended = now
        }
        #expect(ended == 2 * count, "they wait for each other after \(ended)")
        guard ended == 2 * count else { return }
        pair.advance(by: 10_000_000_000)
        for end in [pair.a, pair.b] {
            #expect(end.completions.map(\.context).sorted() == (0..<UInt(count)).map { $0 })
            #expect(end.completions.allSatisfy { $0.error == nil && $0.tag == 0 && $0.data == 0 })
            #expect(end.residue.isEmpty && end.isQuiet && end.counters.failedPeers == 0)
        }
    }

    @Test func noMoreThanWasPromisedIsUnderWay() {
        let pair = Pair { $0.requestCredit = 4 }
        register(pair)
        var posted = 0
        flood(pair.a, &posted, of: 100, now: pair.now)
        #expect(posted == 100)
        pair.a.progress(pair.now)
        let kinds = pair.a.sent.compactMap(kind)
        #expect(kinds.filter { [.read, .write, .writeRequest].contains($0) }.count == 4, "\(kinds)")
        // Whoever waits for answers has nothing to do until they come.
        pair.a.sent = []
        pair.carry(from: pair.a, to: pair.b)
        pair.a.progress(pair.now)
        #expect(pair.a.nextDeadline > pair.now)
    }

    /// Messages behind writes that wait come through, in their order.
    @Test func messagesBehindWritesFollow() {
        let pair = Pair { $0.requestCredit = 2 }
        register(pair)
        for number in 0..<20 {
            let write = RemoteMemoryRequest(
                .write, peer: pair.a.other, memory: memory.application.part(offset: 0, byteCount: 100), remoteOffset: 0, remoteKey: 1,
                context: UInt(number))
            #expect(pair.a.access(write, now: pair.now) == .accepted)
            let send = SendRequest(
                to: pair.a.other, space: .tagged, tag: UInt64(number), memory: memory.application.part(offset: 0, byteCount: 10))
            #expect(pair.a.send(send, now: pair.now) == .accepted)
        }
        for number in 0..<20 {
            #expect(
                pair.b.receive(
                    ReceiveRequest(space: .tagged, ignore: .max, memory: memory.application, context: UInt(number)), now: pair.now)
                    == .accepted)
        }
        pair.exchange()
        pair.advance(by: 1_000_000_000)
        #expect(pair.b.completions.map(\.tag) == (0..<20).map { UInt64($0) })
        #expect(pair.a.completions.count == 40 && pair.a.completions.allSatisfy { $0.error == nil })
    }

    /// Refused ones count as the others do.
    @Test func refusedRequestsMakeRoomForTheNext() {
        let pair = Pair { $0.requestCredit = 2 }
        register(pair)
        for number in 0..<50 { #expect(pair.a.access(request(pair.a, number, key: 9), now: pair.now) == .accepted) }
        pair.exchange()
        pair.advance(by: 1_000_000_000)
        #expect(pair.a.completions.count == 50 && pair.a.completions.allSatisfy { $0.error == .remoteAccess })
        #expect(pair.b.counters.accessesRefused == 50 && pair.a.residue.isEmpty && pair.b.residue.isEmpty)
    }

    /// The peer dies with requests of ours under way and others behind them.
    @Test func allEndWithThePeer() {
        let pair = Pair { $0.requestCredit = 3 }
        register(pair)
        for number in 0..<50 { #expect(pair.a.access(request(pair.a, number), now: pair.now) == .accepted) }
        pair.exchange(rounds: 1)
        pair.a.endpoint.declareDead(pair.a.other)
        pair.a.progress(pair.now)
        #expect(pair.a.completions.count == 50)
        #expect(pair.a.completions.filter { $0.error == .peerFailed }.count >= 40 && pair.a.residue.isEmpty)
    }
}
