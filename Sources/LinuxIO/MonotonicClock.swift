import CLinuxShims
import Glibc

/// CLOCK_MONOTONIC, read without a system call (vDSO).
public enum MonotonicClock {
    /// Nanoseconds since an arbitrary start.
    public static func nanoseconds() -> UInt64 {
        var time = timespec()
        // SAFETY: a local is written for the time of the call.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(truncatingIfNeeded: time.tv_sec) &* 1_000_000_000 &+ UInt64(truncatingIfNeeded: time.tv_nsec)
    }
}

/// A moment after which waiting is over.
public struct Deadline: Sendable {
    public let nanoseconds: UInt64

    public init(afterMilliseconds milliseconds: UInt64) {
        let (span, tooLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (end, never) = MonotonicClock.nanoseconds().addingReportingOverflow(span)
        nanoseconds = tooLong || never ? .max : end
    }

    public var hasPassed: Bool { MonotonicClock.nanoseconds() >= nanoseconds }
    /// Milliseconds left, rounded up, at least 0.
    public var remainingMilliseconds: Int32 {
        let now = MonotonicClock.nanoseconds()
        guard now < nanoseconds else { return 0 }
        return Int32(clamping: (nanoseconds - now + 999_999) / 1_000_000)
    }
}
