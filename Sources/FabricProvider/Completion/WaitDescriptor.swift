import LinuxIO

/// What FI_WAIT_FD gives: a descriptor that is readable a millisecond after fi_trywait, and again each millisecond until
/// somebody reads. Progress is the application's, so that acknowledgements and retransmissions need such visits, whatever arrives.
struct WaitDescriptor: ~Copyable {
    private static let intervalMilliseconds: Int32 = 1
    private var timer: IntervalTimer

    init() throws(SystemCallError) { timer = try IntervalTimer() }

    var number: Int32 { timer.number }

    mutating func arm() {
        timer.drain()
        timer.set(milliseconds: Self.intervalMilliseconds)
    }

    @inline(__always) mutating func disarm() {
        if timer.milliseconds != 0 { timer.set(milliseconds: 0) }
    }
}
