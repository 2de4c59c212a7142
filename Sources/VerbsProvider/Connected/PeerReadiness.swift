/// Whether a connection's other side takes requests for its memory: from its step to RTR on. Hardware drops those that come earlier, and
/// the sender's retries succeed or run out (linux, drivers/infiniband/sw/rxe/rxe_recv.c, check_type_state); the transport would answer at
/// once that there is no such key. So the first request waits until a question was answered: a read of no bytes, of a region that each
/// queue pair opens with that step. All times are nanoseconds.
struct PeerReadiness: BitwiseCopyable {
    private(set) var isReady = false
    private var isAsking = false
    /// Tells answers to this connection's questions from those of the last one.
    private(set) var turn: UInt32 = 0
    private var firstRefusal: UInt64?
    private var askAgainAt: UInt64 = 0

    private static let shortestPause: UInt64 = 200_000
    private static let longestPause: UInt64 = 10_000_000
    /// A process answers, not a NIC: it gets so much time at least.
    private static let shortestPatience: UInt64 = 100_000_000

    func mayAsk(now: UInt64) -> Bool { !isAsking && now >= askAgainAt }

    mutating func asked() { isAsking = true }

    /// It takes requests.
    mutating func answered() {
        isReady = true
        isAsking = false
    }

    /// It does not take them yet.
    mutating func refused(now: UInt64) {
        isAsking = false
        let first = firstRefusal ?? now
        firstRefusal = first
        askAgainAt = now &+ min(max(now &- first, Self.shortestPause), Self.longestPause)
    }

    /// The question was lost with the peer.
    mutating func failed() { isAsking = false }

    /// - Parameter patience: nil: without end.
    func isOver(now: UInt64, patience: UInt64?) -> Bool {
        guard let firstRefusal, let patience, !isAsking else { return false }
        return now &- firstRefusal >= max(patience, Self.shortestPatience)
    }

    /// For the next connection.
    mutating func reset() {
        let next = turn &+ 1
        self = PeerReadiness()
        turn = next
    }

    /// How long a sender sends again: 4.096 µs · 2^timeout for the first time and each retry; 0 is without end (linux,
    /// drivers/infiniband/sw/rxe/rxe_qp.c, rxe_qp_from_attr).
    static func patience(timeout: UInt8, retries: UInt8) -> UInt64? {
        timeout & 31 == 0 ? nil : (4096 << UInt64(timeout & 31)) * (UInt64(retries & 7) + 1)
    }
}
