import CLinuxShims
import Glibc
import SystemPackage

/// A directory that this user alone can enter, for files that several of the user's processes share.
/// Its name may lie in a place where everybody can write: owner and mode are checked on the open directory, and files are
/// opened relative to it, so that nobody can put another one in between.
public struct PrivateDirectory: ~Copyable, Sendable {
    public let path: String
    private let descriptor: OwnedDescriptor

    /// Opens the directory, making it (mode 0700) if it is not there.
    /// - Throws: EPERM with the reason in the subject if it belongs to somebody else or others may enter it; ENOTDIR or ELOOP
    ///   if it is a file or a symbolic link.
    public init(path: String) throws(SystemCallError) {
        do {
            // SAFETY: the C string lives for the call.
            try systemCall("mkdir", on: path) { unsafe mkdir(path, 0o700) }
        } catch  where error.errno == .fileExists {
            // Somebody was here before: what it is, is judged below.
        }
        let directory = try OwnedDescriptor.open(path, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try directory.requireOwnedByCaller(path)
        self.path = path
        descriptor = directory
    }

    /// Opens a regular file in the directory for reading and writing, making it (mode 0600) if it is not there.
    public borrowing func openFile(_ name: String) throws(SystemCallError) -> OwnedDescriptor {
        let directory = descriptor.number
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let subject = "\(path)/\(name)"
        // SAFETY: the C string lives for the call.
        let number = try systemCall("open", on: subject) { unsafe unic_openat(directory, name, flags, 0o600) }
        let file = OwnedDescriptor(adopting: number)
        guard try file.status(subject).isRegularFile else {
            throw SystemCallError(call: "open", subject: "\(subject) (not a regular file)", errno: .invalidArgument)
        }
        try file.requireOwnedByCaller(subject)
        return file
    }

    /// Removes a name. Whoever has the file open keeps it.
    public borrowing func removeFile(_ name: String) throws(SystemCallError) {
        let directory = descriptor.number
        // SAFETY: the C string lives for the call.
        try systemCall("unlink", on: "\(path)/\(name)") { unsafe unlinkat(directory, name, 0) }
    }
}

/// What fstat(2) tells of an open file.
public struct FileStatus: Equatable, Sendable {
    public let device: UInt64
    public let inode: UInt64
    public let linkCount: UInt64
    public let byteCount: Int
    public let owner: UInt32
    /// Permission bits.
    public let mode: UInt32
    public let isRegularFile: Bool
}

extension OwnedDescriptor {
    public borrowing func status(_ subject: @autoclosure () -> String) throws(SystemCallError) -> FileStatus {
        let number = self.number
        var status = stat()
        // SAFETY: a local is written for the time of the call.
        try systemCall("fstat", on: subject()) { unsafe fstat(number, &status) }
        return FileStatus(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), linkCount: UInt64(status.st_nlink),
            byteCount: Int(status.st_size), owner: status.st_uid, mode: status.st_mode & 0o7777,
            isRegularFile: status.st_mode & S_IFMT == S_IFREG)
    }

    /// Throws EPERM unless the file belongs to the effective user and nobody else has any right to it.
    fileprivate borrowing func requireOwnedByCaller(_ path: String) throws(SystemCallError) {
        let status = try status(path)
        if status.owner != geteuid() {
            throw SystemCallError(call: "open", subject: "\(path) (it belongs to user \(status.owner))", errno: .notPermitted)
        }
        if status.mode & 0o077 != 0 {
            let mode = String(status.mode, radix: 8)
            throw SystemCallError(call: "open", subject: "\(path) (its mode \(mode) lets others in)", errno: .notPermitted)
        }
    }

    /// Sets the size of a file; what is new is a hole that reads as zeroes.
    public borrowing func resize(to byteCount: Int, subject: @autoclosure () -> String) throws(SystemCallError) {
        let number = self.number
        try systemCall("ftruncate", on: subject()) { ftruncate(number, byteCount) }
    }

    /// Makes the file system set memory aside for a part of a file, so that touching it later cannot fail (posix_fallocate(3)).
    public borrowing func reserve(_ bytes: Range<Int>, subject: @autoclosure () -> String) throws(SystemCallError) {
        var code: Int32
        repeat { code = posix_fallocate(number, bytes.lowerBound, bytes.count) } while code == EINTR
        if code != 0 { throw SystemCallError(call: "posix_fallocate", subject: subject(), errno: Errno(rawValue: code)) }
    }
}

/// The effective user of this process.
public var effectiveUser: UInt32 { geteuid() }
