import CLinuxShims
import Glibc
import SystemPackage

/// A descriptor that becomes readable at one moment (timerfd_create(2)).
public struct DeadlineTimer: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    public init() throws(SystemCallError) {
        let number = try systemCall("timerfd_create", on: "a new timer") {
            timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        }
        descriptor = OwnedDescriptor(adopting: number)
    }

    public var number: Int32 { descriptor.number }

    /// - Parameter nanoseconds: of ``MonotonicClock``; `.max`: never. What was set before is forgotten.
    public borrowing func set(at nanoseconds: UInt64) {
        var setting = itimerspec()
        if nanoseconds < UInt64(Int64.max) {
            // Zero would switch it off.
            let moment = max(nanoseconds, 1)
            setting.it_value = timespec(tv_sec: Int(moment / 1_000_000_000), tv_nsec: Int(moment % 1_000_000_000))
        }
        // SAFETY: a local is read for the time of the call, and nothing is written.
        _ = unsafe timerfd_settime(number, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    }
}
