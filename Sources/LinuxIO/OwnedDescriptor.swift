import CLinuxShims
import Glibc
import SystemPackage

/// A file descriptor that is closed when its owner goes.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number, valid while this value lives. Never store it beyond.
    public let number: Int32

    /// Takes over a descriptor that nobody else closes.
    public init(adopting number: Int32) { self.number = number }

    deinit { _ = close(number) }

    /// Opens a path. `flags` are open(2)'s; close-on-exec is always set.
    public static func open(_ path: String, flags: Int32, mode: UInt32 = 0) throws(SystemCallError) -> OwnedDescriptor {
        // SAFETY: the C string lives for the call, which does not keep it.
        let number = try systemCall("open", on: path) { unsafe unic_open(path, flags | O_CLOEXEC, mode) }
        return OwnedDescriptor(adopting: number)
    }

    /// A second descriptor of the same open file.
    public borrowing func duplicate() throws(SystemCallError) -> OwnedDescriptor {
        let from = number
        let copy = try systemCall("fcntl(F_DUPFD_CLOEXEC)", on: "descriptor \(from)") { unic_fcntl(from, F_DUPFD_CLOEXEC, 0) }
        return OwnedDescriptor(adopting: copy)
    }

    /// Hands the descriptor out without closing it.
    public consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }
}
