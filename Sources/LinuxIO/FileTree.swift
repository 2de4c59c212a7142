import CLinuxShims
import Glibc
import SystemPackage

// Looking around in /sys, /proc and /dev: links, directories, owners.

/// Where a symbolic link points to, as it is written in it (readlink(2)).
public func symbolicLinkTarget(of path: String) throws(SystemCallError) -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let got = try systemCall("readlink", on: path) { () -> Int in
        // SAFETY: the path lives for the call; the array is ours and its length is given.
        unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let start = unsafe buffer.bindMemory(to: CChar.self).baseAddress else { return 0 }
            return unsafe readlink(path, start, buffer.count)
        }
    }
    return String(decoding: bytes[..<got], as: UTF8.self)
}

/// The names in a directory, ascending, without `.` and `..`; at most 65536 of them.
public func directoryEntryNames(_ path: String) throws(SystemCallError) -> [String] {
    // SAFETY: the path lives for the call.
    guard let directory = unsafe opendir(path) else {
        throw SystemCallError(call: "opendir", subject: path, errno: Errno(rawValue: Glibc.errno))
    }
    // SAFETY: opened above and closed nowhere else.
    defer { _ = unsafe closedir(directory) }
    var names: [String] = []
    // SAFETY: the stream is open; the entry stays valid until the next call on it.
    while names.count < 1 << 16, let entry = unsafe readdir(directory) {
        // SAFETY: the kernel's names end in NUL inside of d_name (readdir(3)); the string is a copy.
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
            unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Whose a file is and what its permission bits allow (stat(2)).
public struct FileOwner: Equatable, Sendable {
    public let user: UInt32
    public let group: UInt32
    /// The low twelve bits of st_mode.
    public let permissions: UInt32

    public init(user: UInt32, group: UInt32, permissions: UInt32) {
        self.user = user
        self.group = group
        self.permissions = permissions
    }

    public static func of(_ path: String) throws(SystemCallError) -> FileOwner {
        var status = stat()
        // SAFETY: the path lives for the call; a local is written.
        try systemCall("stat", on: path) { unsafe stat(path, &status) }
        return FileOwner(user: status.st_uid, group: status.st_gid, permissions: status.st_mode & 0o7777)
    }
}

extension FileOwner {
    /// Gives a file to a user; its group and mode stay (lchown(2)).
    public static func change(_ path: String, toUser user: UInt32) throws(SystemCallError) {
        // SAFETY: the path lives for the call.
        try systemCall("lchown", on: path) { unsafe lchown(path, user, UInt32.max) }
    }
}

/// Whether this process's effective user may open a file for reading and writing, ACLs and capabilities included (faccessat(2)).
public func mayReadAndWrite(_ path: String) -> Bool {
    // SAFETY: the path lives for the call.
    unsafe faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0
}

/// How much memory this process may lock: what pages pinned for DMA count against (getrlimit(2), RLIMIT_MEMLOCK).
public enum LockedMemoryLimit {
    /// The soft limit in bytes; nil if there is none or it cannot be read.
    public static var byteCount: UInt64? {
        var limit = rlimit()
        // SAFETY: a local is written for the time of the call.
        guard unsafe getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0 else { return nil }
        return limit.rlim_cur == .max ? nil : UInt64(limit.rlim_cur)
    }
}
