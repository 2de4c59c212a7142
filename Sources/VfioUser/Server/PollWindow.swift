/// How long a server polls after work before it sleeps, in nanoseconds.
///
/// It grows when work comes soon after it fell asleep, as a longer look would have seen it, and falls back when a grown one was in
/// vain. That one stays small for a while: where client and server share a CPU, the client gets on only while the server sleeps.
struct PollWindow {
    private let least: UInt64
    private let most: UInt64
    private(set) var nanoseconds: UInt64
    private var mayGrowAt: UInt64 = 0

    static let pauseNanoseconds: UInt64 = 20_000_000

    init(least: UInt64, most: UInt64) {
        self.least = least
        self.most = max(least, most)
        nanoseconds = least
    }

    /// It ended and nothing had come.
    mutating func noteEnd(at now: UInt64) {
        guard nanoseconds > least else { return }
        nanoseconds = least
        mayGrowAt = now &+ Self.pauseNanoseconds
    }

    /// Something woke the server, so long after the work before.
    mutating func noteWake(after gap: UInt64, at now: UInt64) {
        guard gap > nanoseconds, gap <= most, now >= mayGrowAt else { return }
        nanoseconds = min(2 &* gap, most)
    }
}
