import Testing
import TransportSimulation

@testable import MPIBridge

@Suite struct AcknowledgementTests {
    private let memory = TestBytes(count: 100, 1)

    private func send(_ end: Pair.End, count: Int = 1, options: OperationOptions = .completes, now: UInt64) {
        for _ in 0..<count {
            #expect(
                end.send(SendRequest(to: end.other, space: .tagged, memory: memory.application, options: options), now: now) == .accepted)
        }
    }

    @Test func itWaitsForAFrameToRideOn() {
        let pair = Pair()
        send(pair.a, now: pair.now)
        pair.carry(from: pair.a, to: pair.b)
        #expect(pair.b.sent.isEmpty)
        send(pair.b, now: pair.now)
        #expect(pair.b.sent.count == 1)
        pair.carry(from: pair.b, to: pair.a)
        #expect(pair.a.isQuiet, "the message has brought the acknowledgement")
        #expect(pair.b.counters.acknowledgementsSent == 0)
    }

    @Test func aloneItGoesWhenTheDelayIsOver() {
        let pair = Pair { $0.acknowledgementDelay = 30_000 }
        send(pair.a, now: pair.now)
        pair.carry(from: pair.a, to: pair.b)
        let arrived = pair.now
        pair.b.progress(arrived + 29_999)
        #expect(pair.b.sent.isEmpty)
        pair.b.progress(arrived + 30_000)
        #expect(pair.b.sent.count == 1 && kind(pair.b.sent[0]) == .acknowledgement)
        pair.carry(from: pair.b, to: pair.a)
        #expect(pair.a.isQuiet)
    }

    @Test func severalFramesAreAcknowledgedWithoutWaiting() {
        let pair = Pair()
        send(pair.a, count: 32, now: pair.now)
        pair.carry(from: pair.a, to: pair.b)
        let frames = pair.b.sent.count
        #expect(frames >= 1 && frames <= 8, "\(frames) acknowledgements of 32 frames")
    }

    /// Later frames show that one was lost: it goes again before its time is over, alone, and once.
    @Test func aHoleIsRepairedFast() {
        let pair = Pair { $0.firstTimeout = 1_000_000_000 }
        send(pair.a, count: 10, now: pair.now)
        let lost = sequence(pair.a.sent[2])
        pair.carry(from: pair.a, to: pair.b) { sequence($0) != lost }
        pair.carry(from: pair.b, to: pair.a)
        #expect(pair.a.sent.map(sequence) == [lost])
        #expect(pair.a.counters.fastRetransmits == 1 && pair.a.counters.timeouts == 0)
        pair.exchange()
        #expect(pair.a.isQuiet && pair.b.counters.unexpectedMessages == 10)
    }

    /// What is two places late was only overtaken.
    @Test func aLittleDisorderIsNoLoss() {
        let pair = Pair()
        send(pair.a, count: 3, now: pair.now)
        pair.a.sent = [pair.a.sent[1], pair.a.sent[2], pair.a.sent[0]]
        pair.exchange()
        #expect(pair.a.counters.retransmittedFrames == 0 && pair.a.counters.fastRetransmits == 0)
        #expect(pair.b.counters.reorderedFrames == 2)
    }

    @Test func duplicatesAreDroppedAndToldOf() {
        let pair = Pair()
        send(pair.a, now: pair.now)
        let frame = pair.a.sent[0]
        pair.a.sent = [frame, frame, frame]
        pair.exchange()
        #expect(pair.b.counters.unexpectedMessages == 1 && pair.b.counters.duplicateFrames == 2)
        #expect(pair.b.counters.acknowledgementsSent > 0 && pair.a.isQuiet)
    }

    @Test func aLostFrameComesAgainWhenItsTimeIsOver() {
        let pair = Pair { $0.firstTimeout = 2_000_000 }
        send(pair.a, now: pair.now)
        let start = pair.now
        pair.a.sent = []
        pair.a.progress(start + 1_999_999)
        #expect(pair.a.sent.isEmpty)
        pair.a.progress(start + 2_000_000)
        #expect(pair.a.sent.count == 1)
        // Twice as long then.
        pair.a.sent = []
        pair.a.progress(start + 5_999_999)
        #expect(pair.a.sent.isEmpty)
        pair.a.progress(start + 6_000_000)
        #expect(pair.a.sent.count == 1)
    }

    /// A rank that computes for half a minute is not flooded with copies, lives, and gets everything then.
    @Test func aPeerThatComputesIsLeftAlone() {
        let pair = Pair()
        send(pair.a, count: 40, now: pair.now)
        var random = SplitMix(seed: 3)
        pair.a.sent = pair.a.sent.filter { _ in random.next() % 100 != 0 }
        let before = pair.a.counters.framesSent
        pair.advance(by: 30_000_000_000, aloneA: true)
        let again = pair.a.counters.framesSent - before
        #expect(again > 10 && again <= 50, "\(again) frames")
        #expect(pair.a.counters.failedPeers == 0)
        pair.exchange { _ in random.next() % 100 != 0 }
        pair.advance(by: 10_000_000_000)
        #expect(pair.a.isQuiet && pair.b.counters.unexpectedMessages == 40)
    }

    /// The same between sends of its own, again and again, with loss both ways.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func computingBetweenSendsCostsFewCopies(seed: UInt64) {
        let pair = Pair()
        var random = SplitMix(seed: seed)
        let passes: ([UInt8]) -> Bool = { _ in random.next() % 100 != 0 }
        for round in 1...4 as ClosedRange<UInt64> {
            send(pair.a, count: 30, now: pair.now)
            send(pair.b, count: 30, now: pair.now)
            // What it gets before it computes it may acknowledge; then it makes no call.
            pair.exchange(rounds: 1, passes: passes)
            let before = pair.a.counters.retransmittedFrames
            pair.advance(by: 30_000_000_000, aloneA: true, passes: passes)
            let again = pair.a.counters.retransmittedFrames - before
            #expect(again <= 50, "\(again) frames again in round \(round)")
            pair.advance(by: 2_000_000_000, passes: passes)
            #expect(pair.a.counters.unexpectedMessages == 30 * round && pair.b.counters.unexpectedMessages == 30 * round)
        }
        #expect(pair.a.counters.failedPeers == 0 && pair.b.counters.failedPeers == 0)
    }

    /// It takes nothing out of its ring any more: the sender's own memory is the limit, and all comes when it reads again.
    @Test func aPeerThatStopsReadingStopsItsSenderAlone() {
        let pair = Pair {
            $0.sendCapacity = 50
            $0.retainedFrames = 64
        }
        var accepted: UInt64 = 0
        for _ in 0..<100 {
            let request = SendRequest(to: pair.a.other, space: .tagged, tag: accepted, memory: memory.application, context: UInt(accepted))
            while pair.a.send(request, now: pair.now) == .accepted, accepted < 10_000 { accepted += 1 }
            pair.advance(by: 500_000_000, aloneA: true) { _ in false }
        }
        #expect(accepted <= 64 + 50, "\(accepted) messages were taken that nobody reads")
        #expect(pair.a.residue.slots <= 64 && pair.a.residue.sends <= 50 && pair.a.counters.failedPeers == 0)
        // Nobody but it waits for it.
        pair.advance(by: 5_000_000_000)
        pair.exchange()
        pair.advance(by: 5_000_000_000)
        #expect(pair.b.counters.unexpectedMessages == accepted && pair.a.isQuiet)
    }

    /// What had come before it died is there; what had not never will be.
    @Test func receivesOfADeadPeerEnd() {
        let pair = Pair()
        send(pair.a, now: pair.now)
        pair.exchange()
        pair.b.endpoint.declareDead(pair.b.other)
        let receive = ReceiveRequest(from: pair.b.other, space: .tagged, memory: memory.application, context: 1)
        #expect(pair.b.receive(receive, now: pair.now) == .accepted)
        var other = receive
        other.context = 2
        #expect(pair.b.receive(other, now: pair.now) == .accepted)
        other.context = 3
        other.options = [.completes, .multiReceive]
        #expect(pair.b.receive(other, now: pair.now) == .accepted)
        pair.b.progress(pair.now)
        #expect(pair.b.completions.map(\.context) == [1, 2, 3])
        #expect(pair.b.completions.map(\.error) == [nil, .peerFailed, .peerFailed])
        #expect(pair.b.completions.map(\.releasesBuffer) == [false, false, true] && pair.b.residue.isEmpty)
    }

    @Test func aPeerThatIsSilentForTooLongHasFailed() {
        let pair = Pair { $0.peerTimeout = 120_000_000_000 }
        send(pair.a, options: [.completes, .delivery], now: pair.now)
        let receive = ReceiveRequest(from: pair.a.other, space: .untagged, memory: memory.application, context: 5)
        #expect(pair.a.receive(receive, now: pair.now) == .accepted)
        pair.advance(by: 119_000_000_000, aloneA: true)
        #expect(pair.a.completions.isEmpty)
        pair.advance(by: 3_000_000_000, aloneA: true)
        #expect(pair.a.completions.count == 2 && pair.a.completions.allSatisfy { $0.error == .peerFailed })
        #expect(pair.a.counters.failedPeers == 1 && pair.a.residue.isEmpty)
        let request = SendRequest(to: pair.a.other, space: .tagged, memory: memory.application)
        #expect(pair.a.send(request, now: pair.now) == .refused(.peerFailed))
    }

    /// It has taken the first half of a message, and then its sender is silent for ever: it owes no acknowledgement.
    @Test func theRestOfAMessageIsNotAwaitedForEver() {
        let pair = Pair { $0.peerTimeout = 10_000_000_000 }
        let long = TestBytes(count: 8_000)
        #expect(pair.b.receive(ReceiveRequest(space: .tagged, memory: long.application), now: pair.now) == .accepted)
        #expect(pair.a.send(SendRequest(to: pair.a.other, space: .tagged, memory: long.application), now: pair.now) == .accepted)
        let first = sequence(pair.a.sent[0])
        pair.carry(from: pair.a, to: pair.b) { sequence($0) == first }
        pair.b.sent = []
        for second in 1...25 {
            pair.b.progress(pair.now + UInt64(second) * 1_000_000_000)
            pair.b.sent = []
        }
        #expect(pair.b.completions.count == 1 && pair.b.completions.first?.error == .peerFailed)
    }

    @Test func aWrapOfTheNumbersIsAnOrdinaryEvent() {
        // The first numbers are the upper half of one key against the lower half of the other's: 0xfffffff8 both ways.
        let wrapping = Pair(keys: (0xffff_fff8_0000_0001, 0xffff_fff9_0000_0000))
        #expect(Peer.firstSequence(from: 0xffff_fff8_0000_0001, to: 0xffff_fff9_0000_0000) == 0xffff_fff8)
        #expect(Peer.firstSequence(from: 0xffff_fff9_0000_0000, to: 0xffff_fff8_0000_0001) == 0xffff_fff8)
        send(wrapping.a, count: 40, now: wrapping.now)
        send(wrapping.b, count: 40, now: wrapping.now)
        wrapping.a.sent.swapAt(7, 9)
        wrapping.a.sent.remove(at: 8)
        wrapping.exchange()
        wrapping.advance(by: 1_000_000_000)
        #expect(wrapping.a.isQuiet && wrapping.b.isQuiet)
        #expect(wrapping.a.counters.unexpectedMessages == 40 && wrapping.b.counters.unexpectedMessages == 40)
    }
}
