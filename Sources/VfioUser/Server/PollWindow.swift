/// How long a server polls after work before it sleeps, in nanoseconds.
///
/// It grows when work comes soon after it fell asleep, as a longer look would have seen it. When that is in vain, and work comes
/// right after all the same, client and server share a CPU: the client gets on only while the server sleeps. There is no polling
/// for a while then.
struct PollWindow {
    private let least: UInt64
    private let most: UInt64
    private(set) var nanoseconds: UInt64
    private var wasGrown = false
    private var pausedUntil: UInt64 = 0

    static let pauseNanoseconds: UInt64 = 10_000_000

    init(least: UInt64, most: UInt64) {
        self.least = least
        self.most = max(least, most)
        nanoseconds = least
    }

    /// It ended and nothing had come.
    mutating func noteSleep(at now: UInt64) {
        wasGrown = nanoseconds > least
        nanoseconds = now < pausedUntil ? 0 : least
    }

    /// Something woke the server, so long after the work before.
    mutating func noteWake(after gap: UInt64, at now: UInt64) {
        guard now >= pausedUntil, gap > least, gap <= (wasGrown ? 2 &* most : most), most > least else { return }
        if wasGrown {
            pausedUntil = now &+ Self.pauseNanoseconds
            nanoseconds = 0
        } else {
            nanoseconds = min(2 &* gap, most)
        }
    }
}
