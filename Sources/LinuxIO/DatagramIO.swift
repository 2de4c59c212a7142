import Glibc
public import SystemPackage

/// What one attempt on a non-blocking descriptor of whole messages brought.
public enum DatagramOutcome: Equatable, Sendable {
    /// So many bytes; 0 is an empty message.
    case bytes(Int)
    /// Nothing there, or no room.
    case wouldBlock
    case failed(Errno)
}

extension OwnedDescriptor {
    /// One read(2): one message, of which the kernel throws away what does not fit.
    ///
    /// Safety duty of the caller: `byteCount` bytes from `base` are alive and may be written.
    @unsafe public borrowing func readDatagram(_ base: UnsafeMutableRawPointer, byteCount: Int) -> DatagramOutcome {
        // SAFETY: the caller keeps the memory alive; its length is given.
        let got = unsafe Glibc.read(number, base, byteCount)
        return got >= 0 ? .bytes(got) : failure()
    }

    /// One write(2) of one message.
    ///
    /// Safety duty of the caller: `byteCount` bytes from `base` are alive.
    @unsafe public borrowing func writeDatagram(_ base: UnsafeRawPointer, byteCount: Int) -> DatagramOutcome {
        // SAFETY: the caller keeps the memory alive; its length is given.
        let put = unsafe Glibc.write(number, base, byteCount)
        return put >= 0 ? .bytes(put) : failure()
    }

    /// What errno says after a call that returned -1. A signal is "not now": whoever polls comes again.
    private borrowing func failure() -> DatagramOutcome {
        let code = Errno(rawValue: errno)
        return code == .resourceTemporarilyUnavailable || code == .interrupted ? .wouldBlock : .failed(code)
    }
}
