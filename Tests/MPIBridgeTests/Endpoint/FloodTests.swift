import Testing

@testable import MPIBridge

/// Receivers without receives: nothing is lost, nobody grows, nobody waits for ever.
@Suite struct FloodTests {
    private let memory = TestBytes((0..<1_000).map { UInt8(truncatingIfNeeded: $0) })
    private let sink = TestBytes(count: 1_000)

    /// Sends until there is no room, then goes on whenever there is.
    private func flood(_ end: Pair.End, _ sent: inout Int, of count: Int, now: UInt64) {
        while sent < count {
            let request = SendRequest(
                to: end.other, space: .tagged, tag: UInt64(sent), memory: memory.application, context: UInt(sent), options: .completes)
            guard end.send(request, now: now) == .accepted else { return }
            sent += 1
        }
    }

    private func receive(_ end: Pair.End, tag: UInt64, now: UInt64) {
        #expect(end.receive(ReceiveRequest(space: .tagged, tag: tag, memory: sink.application), now: now) == .accepted)
    }

    @Test func unexpectedMessagesHaveALimitAndThenTheSenderWaits() {
        let pair = Pair {
            $0.unexpectedByteLimit = 100_000
            $0.unexpectedCapacity = 500
            $0.sendCapacity = 100
        }
        var sent = 0
        for _ in 0..<200 {
            flood(pair.a, &sent, of: 20_000, now: pair.now)
            pair.exchange()
        }
        #expect(sent < 2_000, "\(sent) messages were taken that nobody receives")
        #expect(pair.b.counters.unexpectedBytesPeak <= 100_000 + 1 << 18)
        #expect(pair.b.residue.unexpected <= 500 + 4 * 64)
        // They all come when they are received, in their order.
        var received = 0
        for _ in 0..<20_000 where received < 3_000 {
            flood(pair.a, &sent, of: 3_000, now: pair.now)
            if received < sent {
                receive(pair.b, tag: UInt64(received), now: pair.now)
                received += 1
            }
            pair.exchange()
        }
        pair.advance(by: 5_000_000_000)
        #expect(pair.b.completions.map(\.tag) == (0..<3_000).map { UInt64($0) })
        #expect(pair.b.completions.allSatisfy { $0.error == nil })
    }

    /// Both send without receiving, and each has a long message that the other has to ask for, behind or before the flood.
    @Test(arguments: [true, false]) func twoFloodsDoNotStopEachOther(longFirst: Bool) {
        let pair = Pair {
            $0.unexpectedCapacity = 16
            $0.unexpectedByteLimit = 10_000
            $0.receiveCapacity = 4
            $0.sendCapacity = 64
            $0.retainedFrames = 16
        }
        let long = TestBytes(count: 100_000, 3)
        let places = (TestBytes(count: 100_000), TestBytes(count: 100_000))
        func sendLong() {
            for end in [pair.a, pair.b] {
                let request = SendRequest(to: end.other, space: .untagged, memory: long.application, context: 7_777)
                #expect(end.send(request, now: pair.now) == .accepted)
            }
        }
        for (end, place) in [(pair.a, places.0), (pair.b, places.1)] {
            #expect(end.receive(ReceiveRequest(space: .untagged, memory: place.application, context: 8_888), now: pair.now) == .accepted)
        }
        if longFirst { sendLong() }
        var sent = (0, 0)
        flood(pair.a, &sent.0, of: 60, now: pair.now)
        flood(pair.b, &sent.1, of: 60, now: pair.now)
        if !longFirst { sendLong() }
        pair.exchange()
        pair.advance(by: 3_000_000_000)
        if longFirst {
            // The flood behind it, which nobody receives, does not stop it.
            #expect(pair.a.completions.contains { $0.context == 8_888 } && pair.b.completions.contains { $0.context == 8_888 })
        }
        for tag in 0..<60 {
            receive(pair.a, tag: UInt64(tag), now: pair.now)
            receive(pair.b, tag: UInt64(tag), now: pair.now)
            pair.exchange()
        }
        pair.advance(by: 10_000_000_000)
        for (end, place) in [(pair.a, places.0), (pair.b, places.1)] {
            #expect(end.completions.contains { $0.context == 8_888 && $0.error == nil } && place.bytes == long.bytes)
            #expect(end.residue.isEmpty && end.isQuiet)
        }
    }

    /// A message of credits alone, when the last receive has made room again.
    @Test func aStalledSenderAsksUntilItIsTold() {
        let pair = Pair {
            $0.messageCredit = 2
            $0.unexpectedCapacity = 1
        }
        var sent = 0
        flood(pair.a, &sent, of: 20, now: pair.now)
        pair.exchange()
        let there = pair.b.residue.unexpected
        #expect(there < 20)
        for tag in 0..<20 { receive(pair.b, tag: UInt64(tag), now: pair.now) }
        // All that tells of the room is lost.
        pair.b.sent = []
        pair.advance(by: 5_000_000_000)
        #expect(pair.b.completions.count == 20)
    }
}
