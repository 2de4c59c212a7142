import Testing
import TransportSimulation

@testable import MPIBridge

/// Frames that no honest peer sends, with right checksums. None crashes, writes where it may not, or makes the endpoint grow.
@Suite struct HostileFrameTests {
    private let victim = Victim(memory: PortMemory())
    private var first: UInt32 { Peer.firstSequence(from: victim.attacker.key, to: victim.address.key) }
    /// What the victim's own frames to the attacker begin with.
    private var victimFirst: UInt32 { Peer.firstSequence(from: victim.address.key, to: victim.attacker.key) }

    private func frame(_ kind: FrameKind, _ words: [UInt64] = [], payload: [UInt8] = [], flags: FrameFlags = [], ahead: UInt32 = 0)
        -> [UInt8]
    {
        var frame = ForgedFrame(kind: kind.rawValue, from: victim.attacker, to: victim.address, words: words, payload: payload)
        frame.sequence = first &+ ahead
        frame.acknowledgement = victimFirst
        frame.flags = flags.rawValue
        return frame.bytes
    }

    private func expectFailure(_ frames: [[UInt8]], _ comment: Comment) {
        for frame in frames { victim.take(frame) }
        #expect(victim.counters.failedPeers == 1, comment)
        expectWhole(comment)
    }

    private func expectWhole(_ comment: Comment) {
        #expect(victim.damage == nil, comment)
        #expect(!victim.completions.contains { $0.error == .peerFailed && $0.peer == victim.friendID }, comment)
        #expect(victim.end() == nil, comment)
    }

    @Test(
        arguments: [
            // Longer than it says; nothing of something; more than its credit.
            (.message, [0, 0, 2], 3), (.message, [0, 0, 5], 0), (.message, [0, 0, 0x1_0000_0000], 0), (.message, [0, 0, 1 << 18 | 1], 100),
            // Of no message.
            (.continuation, [0], 10), (.continuation, [.max], 10),
            // Longer than anything.
            (.request, [0, 0, 1 << 63, 1], 0), (.request, [0, 0, .max, 1], 0),
            // For operations that are not there: wild, freed, of the other kind, the friend's.
            (.grant, [0, 1 << 63, 1], 0), (.grant, [.max, 0, 1], 0), (.grant, [1 << 63, 0, 1], 0), (.grant, [0xffff_ffff, 0, 1], 0),
            (.bulk, [1 << 63, 0], 10), (.bulk, [.max, 0], 10), (.bulk, [0, 0], 10), (.bulk, [0xffff_fffe, .max], 10),
            (.outcome, [.max, 0], 0), (.outcome, [1 << 63, 0], 0), (.outcome, [0, 0], 0), (.outcome, [0, .max], 0),
            // Writes longer than they say, or of nothing.
            (.write, [9, 0, 0, 0, 3], 4), (.write, [9, 0, 0, 0, 3], 0), (.write, [9, 0, 0, 0, .max], 1),
            // An answer to a sender.
            (.read, [7, 0, 10, 5], 0),
        ] as [(FrameKind, [UInt64], Int)])
    func fieldsThatLieEndThePeer(kind: FrameKind, words: [UInt64], payload: Int) {
        expectFailure([frame(kind, words, payload: .init(repeating: 0x77, count: payload))], "\(kind) \(words)")
    }

    @Test func continuationsBeyondTheMessageEndThePeer() {
        let start = frame(.message, [0, 0, 1_000], payload: .init(repeating: 1, count: 400), flags: .tagged)
        for (offset, count) in [(0, 100), (399, 1), (401, 1), (400, 601), (400, 0), (1 << 40, 1)] as [(UInt64, Int)] {
            let other = HostileFrameTests()
            other.expectFailure(
                [start, other.frame(.continuation, [offset], payload: .init(repeating: 2, count: count), ahead: 1)], "\(offset) \(count)")
        }
        expectFailure([start, frame(.message, [0, 0, 3], payload: [1, 2, 3], ahead: 1)], "a message inside another")
    }

    @Test func accessOutsideOfARegionIsRefusedAndWritesNothing() {
        var ahead: UInt32 = 0
        let places: [(UInt64, UInt64)] = [(4_096, 1), (4_095, 2), (.max, 1), (.max - 3, 4), (1 << 63, 8), (0, 4_097)]
        for (offset, count) in places {
            victim.take(frame(.read, [Victim.readKey, offset, count, 1 << 63], ahead: ahead))
            victim.take(frame(.writeRequest, [Victim.writeKey, offset, 0, 1, count], ahead: ahead + 1))
            ahead += 2
            guard count < 1_000 else { continue }
            let payload = [UInt8](repeating: 0x66, count: Int(count))
            victim.take(frame(.write, [Victim.writeKey, offset, 0, 1, count], payload: payload, ahead: ahead))
            // Not for writing.
            victim.take(frame(.write, [Victim.readKey, 0, 0, 1, count], payload: payload, ahead: ahead + 1))
            ahead += 2
        }
        #expect(victim.counters.failedPeers == 0)
        #expect(victim.counters.accessesRefused == UInt64(ahead))
        #expect(victim.counters.writesServed == 0 && victim.counters.readsServed == 0)
        expectWhole("refused")
    }

    @Test func aRightWriteLandsInItsPlace() {
        victim.take(frame(.write, [Victim.writeKey, 4_090, 0, 1, 6], payload: .init(repeating: 0x66, count: 6)))
        #expect(victim.holdsWritten(0x66, in: 4_090..<4_096) && victim.counters.writesServed == 1)
        expectWhole("a right write")
    }

    /// Never sent, never acknowledged: such frames are no news of anything.
    @Test func acknowledgementsOfWhatWasNeverSentAreDropped() {
        let before = victim.residue
        for ahead in [1_000, 1 << 20, 0x8000_0000, 0x7fff_ffff] as [UInt32] {
            var ack = ForgedFrame(kind: 1, from: victim.attacker, to: victim.address, words: [.max])
            ack.acknowledgement = victimFirst &+ ahead
            victim.take(ack.bytes)
        }
        #expect(victim.counters.malformedFrames == 4)
        #expect(victim.residue.slots == before.slots && victim.counters.failedPeers == 0)
        // Selective bits beyond what is on its way.
        var ack = ForgedFrame(kind: 1, from: victim.attacker, to: victim.address, words: [.max])
        ack.acknowledgement = victimFirst
        victim.take(ack.bytes)
        expectWhole("acknowledgements")
    }

    @Test func creditsThatLieHurtTheLiarAlone() {
        for credit in [0, 1, 0x7fff_ffff, 0x8000_0000, .max] as [UInt32] {
            var ack = ForgedFrame(kind: 1, from: victim.attacker, to: victim.address, words: [0])
            ack.acknowledgement = victimFirst
            ack.byteCredit = credit
            ack.messageCredit = credit
            victim.take(ack.bytes)
        }
        for _ in 0..<100 { _ = victim.send(to: victim.attackerID, byteCount: 2_000) }
        victim.advance(by: 1_000_000)
        #expect(victim.residue.slots <= 64)
        expectWhole("credits")
    }

    /// More than was granted: messages without receives, for ever.
    @Test func whoDoesNotCareForCreditsIsEnded() {
        var ahead: UInt32 = 0
        while victim.counters.failedPeers == 0, ahead < 100_000 {
            victim.take(frame(.request, [UInt64(ahead), 0, 100, UInt64(ahead)], flags: .tagged, ahead: ahead))
            ahead += 1
        }
        #expect(ahead < 2_000, "\(ahead) messages were taken")
        #expect(victim.residue.unexpected <= 64 + 8 * 64)
        expectWhole("a flood")
    }

    @Test func framesFromTheFutureAndThePastAreBounded() {
        for ahead in Array(1...200) + [0x7fff_ffff, 0x8000_0000, .max, .max - 64] as [UInt32] {
            victim.take(frame(.message, [0, 0, 4], payload: [1, 2, 3, 4], ahead: ahead))
        }
        #expect(victim.residue.heldFrames <= 63)
        #expect(victim.counters.failedPeers == 0)
        expectWhole("wild numbers")
    }

    @Test func replayedFramesAreDeliveredOnce() {
        let message = frame(.message, [0, 0, 4], payload: [1, 2, 3, 4], flags: .tagged)
        for _ in 0..<50 { victim.take(message) }
        #expect(victim.counters.messagesReceived == 1 && victim.counters.duplicateFrames == 49)
        expectWhole("replays")
    }

    /// Another job on the same wire: other keys, the same addresses.
    @Test func anotherJobsFramesAreForeign() {
        let stranger = EndpointAddress(key: 3, mac: victim.attacker.mac, ipv4: victim.attacker.ipv4, udpPort: victim.attacker.udpPort)
        let local = EndpointAddress(key: 4, mac: victim.address.mac, ipv4: victim.address.ipv4, udpPort: victim.address.udpPort)
        victim.take(ForgedFrame(kind: 2, from: stranger, to: local, words: [0, 0, 1], payload: [1]).bytes)
        #expect(victim.counters.foreignFrames == 1 && victim.counters.messagesReceived == 0)
        expectWhole("another job")
    }

    /// Keys that nobody knows become peers, but no more than there is room for.
    @Test func inventedSendersHaveALimit() {
        for key in 1...1_000 as ClosedRange<UInt64> {
            let stranger = EndpointAddress(key: key, mac: victim.attacker.mac, ipv4: UInt32(key), udpPort: 9)
            var frame = ForgedFrame(kind: 2, from: stranger, to: victim.address, words: [0, 0, 1], payload: [1])
            frame.sequence = Peer.firstSequence(from: key, to: victim.address.key)
            frame.acknowledgement = Peer.firstSequence(from: victim.address.key, to: key)
            victim.take(frame.bytes)
        }
        #expect(victim.counters.foreignFrames == 1_000 - 6)
        expectWhole("invented senders")
    }

    @Test func aGoodbyeEndsOnlyItsSender() {
        victim.take(frame(.goodbye))
        #expect(victim.completions.contains { $0.error == .peerFailed && $0.peer == victim.attackerID })
        expectWhole("goodbye")
    }

    @Test func framesCutOffAnywhereAreDropped() {
        let whole = frame(.write, [Victim.writeKey, 0, 0, 1, 50], payload: .init(repeating: 0x66, count: 50))
        for count in 0..<whole.count { victim.take([UInt8](whole.prefix(count))) }
        #expect(victim.counters.writesServed == 0 && victim.counters.failedPeers == 0)
        expectWhole("cut off")
    }
}

/// Reads and writes of somebody who does not count them.
@Suite struct GreedyPeerTests {
    private let victim = Victim(memory: PortMemory())

    private func frames(_ count: UInt32, _ kind: FrameKind, _ words: [UInt64]) -> [[UInt8]] {
        let first = Peer.firstSequence(from: victim.attacker.key, to: victim.address.key)
        return (0..<count).map { number in
            var frame = ForgedFrame(kind: kind.rawValue, from: victim.attacker, to: victim.address, words: words)
            frame.sequence = first &+ number
            frame.acknowledgement = Peer.firstSequence(from: victim.address.key, to: victim.attacker.key)
            return frame.bytes
        }
    }

    /// It takes no place that was set aside for others, and ends itself.
    @Test(
        arguments: [
            (.read, [Victim.readKey, 0, 4_096, 1 << 63]), (.writeRequest, [Victim.writeKey, 0, 0, 1, 4_096]),
        ] as [(FrameKind, [UInt64])])
    func whoAsksForMoreThanItMayIsEnded(kind: FrameKind, words: [UInt64]) {
        let before = victim.residue
        var taken = 0
        for frame in frames(100, kind, words) where victim.counters.failedPeers == 0 {
            victim.take(frame)
            taken += 1
        }
        #expect(taken == 17 && victim.counters.failedPeers == 1)
        #expect(victim.residue.sends <= before.sends && victim.damage == nil && victim.end() == nil)
    }

    /// Refused ones, to which it does not listen: their answers are no more than were promised.
    @Test func whoDoesNotHearRefusalsIsEnded() {
        for frame in frames(200, .read, [12_345, 0, 1, 1 << 63]) where victim.counters.failedPeers == 0 { victim.take(frame) }
        #expect(victim.counters.failedPeers == 1)
        #expect(victim.counters.accessesRefused <= 64 + 16)
        #expect(victim.damage == nil && victim.end() == nil)
    }
}
