import CLinuxShims
import Glibc

/// Which file a path names now, itself, not what a symbolic link points at (lstat(2)).
public struct PathIdentity: Equatable, Sendable {
    public let device: UInt64
    public let inode: UInt64
    public let isSocket: Bool

    /// nil when there is nothing.
    public init?(of path: String) {
        var facts = stat()
        // SAFETY: a local is written, and the C string lives, for the time of the call.
        guard unsafe lstat(path, &facts) == 0 else { return nil }
        device = UInt64(facts.st_dev)
        inode = UInt64(facts.st_ino)
        isSocket = facts.st_mode & S_IFMT == S_IFSOCK
    }

    /// Removes the path if it still names this file.
    public func unlink(_ path: String) {
        guard PathIdentity(of: path) == self else { return }
        // SAFETY: the C string lives for the call.
        _ = unsafe Glibc.unlink(path)
    }
}
