import CLinuxShims
import Glibc

/// Sleeps for at least so many microseconds.
public func sleepMicroseconds(_ microseconds: UInt64) {
    var wanted = timespec(tv_sec: Int(microseconds / 1_000_000), tv_nsec: Int(microseconds % 1_000_000) * 1000)
    var left = timespec()
    // SAFETY: both are locals; after a signal the rest is slept.
    while unsafe nanosleep(&wanted, &left) == -1, errno == EINTR { wanted = left }
}
