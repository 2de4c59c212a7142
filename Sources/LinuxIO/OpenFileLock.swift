import CLinuxShims
import SystemPackage

/// Locks that belong to an open file, not to a process (fcntl_locking(2), "Open file description locks"): two opens of one
/// file in one process exclude each other, and the kernel drops a lock with the last descriptor of its open file, kill -9
/// included. A child made by fork(2) holds its parent's locks until it closes or executes something.
extension OwnedDescriptor {
    /// Takes a write lock on one byte, without waiting. False if another open file has it.
    public borrowing func tryLock(byte: Int) throws(SystemCallError) -> Bool {
        let number = self.number
        do {
            try systemCall("fcntl(F_OFD_SETLK)", on: "byte \(byte)") { unic_ofd_lock(number, byte, 1, 0) }
            return true
        } catch  where error.errno == .resourceTemporarilyUnavailable || error.errno == .permissionDenied {
            return false
        }
    }

    /// Gives a lock back.
    public borrowing func unlock(byte: Int) throws(SystemCallError) {
        let number = self.number
        try systemCall("fcntl(F_OFD_SETLK)", on: "byte \(byte)") { unic_ofd_lock(number, byte, 1, 1) }
    }

    /// Whether another open file holds a lock on any of these bytes. One's own locks do not count.
    public borrowing func isLockedElsewhere(bytes: Range<Int>) throws(SystemCallError) -> Bool {
        let number = self.number
        return try systemCall("fcntl(F_OFD_GETLK)", on: "bytes \(bytes)") { unic_ofd_is_locked(number, bytes.lowerBound, bytes.count) } == 1
    }
}
