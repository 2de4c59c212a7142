import LinuxIO

/// How a loop waits for a frame that has not come: spin for a while, then let others run after each look.
///
/// Where the other side needs this core it cannot answer while we spin, so the time adapts: it halves when the answer came
/// right after a yield, and doubles when it came while spinning.
struct Patience {
    private let longestSpin: UInt64
    private var spin: UInt64
    /// When this silence began; 0 if it has not been timed.
    private var silentSince: UInt64 = 0
    private var polls = 0
    private var hasYielded = false

    /// Nanoseconds of spinning before the first yield, where client and server have a core each.
    private static let spinOnOwnCore: UInt64 = 50_000
    private static let shortestSpin: UInt64 = 400
    /// Polls before the clock is looked at.
    private static let eagerPolls = 32
    /// An answer within so many nanoseconds came from another core, or after one change of threads.
    private static let promptAnswer: UInt64 = 10_000

    init(sharesOneCore: Bool) {
        longestSpin = sharesOneCore ? 0 : Self.spinOnOwnCore
        spin = longestSpin
    }

    /// Call after a poll that found nothing. Returns whether it is time to look at clocks and flags too.
    mutating func pause() -> Bool {
        polls &+= 1
        if !hasYielded, longestSpin > 0 {
            // A prompt answer comes within the first polls: no hint to the core, which takes as long as a poll, and no clock.
            if polls < Self.eagerPolls { return false }
            if polls & 7 != 0 {
                Processor.spinHint()
                return false
            }
            let now = MonotonicClock.nanoseconds()
            if silentSince == 0 { silentSince = now }
            if now &- silentSince < spin {
                Processor.spinHint()
                return polls & 255 == 0
            }
        }
        Processor.yield()
        hasYielded = true
        return true
    }

    /// Call when something came.
    mutating func found(at now: UInt64) {
        if silentSince != 0 {
            spin = now &- silentSince <= Self.promptAnswer ? min(longestSpin, spin &* 2) : max(Self.shortestSpin, spin / 2)
        }
        silentSince = 0
        polls = 0
        hasYielded = false
    }
}
