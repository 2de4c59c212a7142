import Glibc
import LinuxIO

/// Pauses of a thread that may sleep: none at first, then short sleeps that grow. Frames that arrive meanwhile wait in the ring.
struct SleepingPause {
    private static let awakeNanoseconds: UInt64 = 100_000
    private static let shortest: UInt32 = 50, longest: UInt32 = 1000
    private let start = MonotonicClock.nanoseconds()
    private var microseconds = shortest

    mutating func take() {
        guard MonotonicClock.nanoseconds() &- start >= Self.awakeNanoseconds else { return }
        _ = usleep(microseconds)
        microseconds = min(microseconds * 2, Self.longest)
    }
}
