import Testing
import TransportSimulation

@testable import MPIBridge

/// How soon a peer's silence is its death.
@Suite struct KeepAliveTests {
    private let memory = TestBytes(count: 100, 1)

    /// Both have talked.
    /// - Parameter answers: whether B answers without its application.
    private func silence(answers: Bool) -> Pair {
        let pair = Pair {
            $0.peerTimeout = 100_000_000_000
            $0.answerTimeout = 4_000_000_000
            $0.answersAlone = true
        }
        pair.b.endpoint.options.answersAlone = answers
        let message = SendRequest(to: pair.a.other, space: .tagged, memory: memory.application)
        #expect(pair.a.send(message, now: pair.now) == .accepted)
        pair.advance(by: 1_000_000_000)
        #expect(pair.a.isQuiet && pair.b.counters.acknowledgementsSent > 0)
        return pair
    }

    private func waitForMessage(_ pair: Pair) {
        let request = ReceiveRequest(from: pair.a.other, space: .tagged, memory: memory.application)
        #expect(pair.a.receive(request, now: pair.now) == .accepted)
    }

    @Test func whoAnswersAloneIsMissedSoon() {
        let pair = silence(answers: true)
        waitForMessage(pair)
        pair.advance(by: 3_900_000_000, aloneA: true)
        #expect(pair.a.counters.failedPeers == 0)
        pair.advance(by: 2_000_000_000, aloneA: true)
        #expect(pair.a.counters.failedPeers == 1)
        #expect(pair.a.completions.last?.error == .peerFailed)
    }

    @Test func whoOnlyComputesIsNot() {
        let pair = silence(answers: false)
        waitForMessage(pair)
        pair.advance(by: 90_000_000_000, aloneA: true)
        #expect(pair.a.counters.failedPeers == 0)
    }

    @Test func anAnswerIsEnough() {
        let pair = silence(answers: true)
        waitForMessage(pair)
        pair.advance(by: 90_000_000_000)
        #expect(pair.a.counters.failedPeers == 0 && pair.b.counters.failedPeers == 0)
    }

    /// What it owes counts as well.
    @Test func whoOwesAnAcknowledgementIsMissedSoon() {
        let pair = silence(answers: true)
        #expect(pair.a.send(SendRequest(to: pair.a.other, space: .tagged, memory: memory.application), now: pair.now) == .accepted)
        pair.advance(by: 6_000_000_000, aloneA: true)
        #expect(pair.a.counters.failedPeers == 1)
    }
}
