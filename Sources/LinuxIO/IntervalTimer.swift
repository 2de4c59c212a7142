import CLinuxShims
import Glibc
import SystemPackage

/// A descriptor that becomes readable again and again, at equal distances (timerfd_create(2)). Whoever sleeps often pays less
/// for it than for a time-out of each sleep, which the kernel has to set and to clear.
public struct IntervalTimer: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor
    /// 0: it is off.
    public private(set) var milliseconds: Int32 = 0

    public init() throws(SystemCallError) {
        let number = try systemCall("timerfd_create", on: "a new timer") {
            timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        }
        descriptor = OwnedDescriptor(adopting: number)
    }

    public var number: Int32 { descriptor.number }

    /// Sets the distance, from now on; 0 switches it off. Nothing happens if it is so already.
    public mutating func set(milliseconds: Int32) {
        guard milliseconds != self.milliseconds else { return }
        self.milliseconds = milliseconds
        let distance = timespec(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        var setting = itimerspec(it_interval: distance, it_value: distance)
        // SAFETY: a local is read for the time of the call, and nothing is written.
        _ = unsafe timerfd_settime(number, 0, &setting, nil)
    }

    /// Makes it unreadable until the next time.
    public borrowing func drain() { EventFD.drain(number) }
}
