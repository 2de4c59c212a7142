import Glibc
import LinuxIO

/// Numbers of eight bytes through a pipe (pipe(7): so few are written whole or not at all).
struct EventPipe: ~Copyable {
    let readEnd: OwnedDescriptor
    private let writeEnd: OwnedDescriptor

    /// nil: there are no descriptors left.
    init?() {
        var ends: [Int32] = [-1, -1]
        // SAFETY: two numbers are written into two numbers' memory, for the time of the call.
        guard unsafe pipe(&ends) == 0 else { return nil }
        readEnd = OwnedDescriptor(adopting: ends[0])
        writeEnd = OwnedDescriptor(adopting: ends[1])
        _ = fcntl(readEnd.number, F_SETFD, FD_CLOEXEC)
        _ = fcntl(writeEnd.number, F_SETFD, FD_CLOEXEC)
        // The writer holds a lock: it never waits for the reader.
        _ = fcntl(writeEnd.number, F_SETFL, O_NONBLOCK)
    }

    /// A full pipe has woken whoever reads it; what has no room is dropped.
    func write(_ number: UInt64) {
        var number = number
        // SAFETY: eight bytes of a local, for the time of the call.
        _ = unsafe Glibc.write(writeEnd.number, &number, 8)
    }

    /// Waits for the next number, if the descriptor is a blocking one. nil: there is none, or the wait was interrupted; errno says.
    func read() -> UInt64? {
        var number: UInt64 = 0
        // SAFETY: eight bytes of a local, for the time of the call.
        let count = unsafe Glibc.read(readEnd.number, &number, 8)
        return count == 8 ? number : nil
    }
}
