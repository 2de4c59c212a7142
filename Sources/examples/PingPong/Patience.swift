import LinuxIO

/// How a loop waits for a frame that has not come: spin while that pays, else let others run.
///
/// Where the other side shares this core it cannot answer while we spin, so the number of polls before a yield adapts:
/// it halves when the answer came right after a yield, and doubles when it came while spinning.
struct Patience {
    private let longestSpin: Int
    private var spin: Int
    private var emptyPolls = 0
    private var pollsSinceYield = 0
    private var hasYielded = false

    init(sharesOneCore: Bool) {
        longestSpin = sharesOneCore ? 1 : 4096
        spin = longestSpin
    }

    /// Call after a poll that found nothing. Returns whether it is time to look at the clock too.
    mutating func pause() -> Bool {
        emptyPolls &+= 1
        pollsSinceYield &+= 1
        if pollsSinceYield < spin {
            Processor.spinHint()
            return emptyPolls & 127 == 0
        }
        Processor.yield()
        hasYielded = true
        pollsSinceYield = 0
        return true
    }

    /// Call when something came.
    mutating func found() {
        if hasYielded && pollsSinceYield < 2 {
            spin = max(1, spin / 2)
        } else if !hasYielded && spin < longestSpin {
            spin = min(longestSpin, spin * 2)
        }
        emptyPolls = 0
        pollsSinceYield = 0
        hasYielded = false
    }
}
