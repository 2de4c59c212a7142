import CLinuxShims
import Glibc
import LinuxIO
import SystemPackage

/// The record of a pool that is larger for a moment because unic is taking pages from it.
///
/// A pool is raised, the pages are taken, and the pool is lowered again while they are in use: the kernel then counts
/// them as surplus and gives them back to the system when they are freed, after a kill -9 too. Only a process killed in
/// that moment leaves the pool raised. The record is written before the pool is touched, under a lock that the kernel
/// drops with its holder: whoever has the lock and finds a record finds a dead process's, and lowers the pool.
struct HugepageLedger: Sendable {
    /// A pool's persistent size before and after a raise, in pages, and the boot that it belongs to.
    struct Raise: Equatable, Sendable {
        let pageByteCount: Int
        let from: Int
        let to: Int
        let boot: String

        var text: String { "\(pageByteCount) \(from) \(to) \(boot)\n" }

        init(pageByteCount: Int, from: Int, to: Int, boot: String) {
            self.pageByteCount = pageByteCount
            self.from = from
            self.to = to
            self.boot = boot
        }

        /// nil for anything that ``text`` does not write.
        init?(_ text: String) {
            let parts = text.split(whereSeparator: \.isWhitespace)
            guard parts.count == 4, let size = Int(parts[0]), let from = Int(parts[1]), let to = Int(parts[2]), from >= 0, from <= to,
                size >= 4096, size & (size - 1) == 0
            else { return nil }
            self.init(pageByteCount: size, from: from, to: to, boot: String(parts[3]))
        }
    }

    /// Nobody else may enter it: it says what root does to the pool.
    let directory: String
    var lockWaitMilliseconds: UInt64 = 10_000

    private var record: String { "\(directory)/raise" }

    /// `/run/unic` for root, the user's runtime directory for others; nil if they have none.
    static var standardDirectory: String? {
        if geteuid() == 0 { return "/run/unic" }
        // SAFETY: the environment is not changed while unic starts; the copy is made at once.
        guard let runtime = unsafe getenv("XDG_RUNTIME_DIR") else { return nil }
        // SAFETY: the string just found.
        return unsafe String(cString: runtime) + "/unic"
    }

    /// Runs the body while no other process of this directory does.
    /// - Throws: EWOULDBLOCK when the lock's holder did not end in time.
    func withLock<Result: ~Copyable>(_ body: () throws(SystemCallError) -> Result) throws(SystemCallError) -> Result {
        let lock = try PrivateDirectory(path: directory).openFile("lock")
        let deadline = Deadline(afterMilliseconds: lockWaitMilliseconds)
        while try !lock.tryLock(byte: 0) {
            guard !deadline.hasPassed else {
                throw SystemCallError(call: "fcntl(F_OFD_SETLK)", subject: "\(directory)/lock", errno: .wouldBlock)
            }
            sleepMicroseconds(5_000)
        }
        return try body()
    }

    /// Whether anybody ever raised a pool under this directory.
    // SAFETY: the C string lives for the call.
    var exists: Bool { unsafe access(directory, F_OK) == 0 }

    /// What a killed process left; nil when there is nothing, or nothing readable. Call it under the lock.
    func pending() -> Raise? { (try? readSmallFile(record)).flatMap(Raise.init) }

    /// Writes the record before the pool is raised, whole or not at all. Call it under the lock.
    func write(_ raise: Raise) throws(SystemCallError) {
        let fresh = record + ".new"
        let file = try OwnedDescriptor.open(fresh, flags: O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, mode: 0o600)
        try file.write(Array(raise.text.utf8), at: 0, subject: fresh)
        // SAFETY: both C strings live for the call.
        try systemCall("rename", on: record) { unsafe rename(fresh, record) }
    }

    /// The pool is back to what it was. Call it under the lock.
    func clear() {
        // SAFETY: the C string lives for the call. A record that is not there is what is wanted.
        _ = unsafe unlink(record)
    }

    /// Lowers the pool that a killed process left raised. Call it under the lock.
    /// - Returns: the record, and how many pages left the pool; nil when there was nothing to do.
    func reclaim(_ files: HugepageFiles) throws(SystemCallError) -> (raise: Raise, pageCount: Int)? {
        guard let raise = pending() else { return nil }
        var lowered = 0
        // Another boot's pool is gone with that boot.
        if raise.boot == HugepageLedger.boot { lowered = try lower(raise, files) }
        clear()
        return (raise, lowered)
    }

    /// Takes out of a pool what a raise put in, and not what others did to it since.
    func lower(_ raise: Raise, _ files: HugepageFiles) throws(SystemCallError) -> Int {
        let now = try files.pool(pageByteCount: raise.pageByteCount).persistent
        let ours = min(now - raise.from, raise.to - raise.from)
        guard ours > 0 else { return 0 }
        try files.setPersistent(now - ours, pageByteCount: raise.pageByteCount)
        return ours
    }

    /// Differs from boot to boot (random(4)).
    static var boot: String {
        (try? readSmallFile("/proc/sys/kernel/random/boot_id")).map { String($0.prefix { !$0.isWhitespace }) } ?? "unknown"
    }
}
