import CLinuxShims
import Glibc
import SystemPackage

/// Tells another process that a thread of this one is dead, by whatever, kill -9 included: a robust lock in shared memory that the
/// thread holds.
///
/// It comes sooner than the end of a socket: a process that is killed closes its files only after its memory was taken apart,
/// a tenth of a second for each GiB in pages of 4 KiB, and lets go of its locks before (Linux kernel/exit.c, `exit_mm` before
/// `exit_files`; kernel/fork.c, `exit_mm_release`).
public final class DeathNotice: Sendable {
    private static let byteCount = 4096
    private let pages: MappedPages

    /// Of the calling thread, to which it clings: the page stays mapped as long as the process lives.
    /// - Returns: a descriptor for ``init(_:)`` in another process.
    public static func ofThisThread() throws(SystemCallError) -> OwnedDescriptor {
        let file = try MemoryFile.create(name: "unic-death-notice", byteCount: byteCount)
        let pages = try MappedPages(sharing: file, byteCount: byteCount, subject: "a death notice")
        // SAFETY: the page is larger than the lock, and is never unmapped: the thread's list of robust locks has it.
        let code = unsafe unic_robust_lock_hold(pages.address)
        pages.keepForever()
        guard code == 0 else { throw SystemCallError(call: "pthread_mutex_lock", subject: "a robust lock", errno: Errno(rawValue: code)) }
        return file
    }

    /// Of a thread of another process.
    /// - Throws: when the file is none of a notice: a byte that is not there would be a SIGBUS.
    public init(_ file: borrowing OwnedDescriptor) throws(SystemCallError) {
        let facts = try FileFacts(of: file.number)
        guard facts.isMemory, facts.isSealedAgainstShrinking, facts.byteCount >= UInt64(Self.byteCount) else {
            throw SystemCallError(call: "mmap", subject: "a file that is no death notice", errno: .invalidArgument)
        }
        pages = try MappedPages(sharing: file, byteCount: Self.byteCount, subject: "a death notice")
    }

    /// Waits, without end, until the thread that made the notice is dead. Once: the calling thread ends soon after.
    public func awaitDeath() {
        // SAFETY: the page is mapped as long as this object lives, and is larger than the lock.
        let code = unsafe unic_robust_lock_await(pages.address)
        // SAFETY: as above. The lock is this thread's now, and must leave its list of robust locks before the page goes.
        if code == 0 || code == EOWNERDEAD { _ = unsafe unic_robust_lock_release(pages.address) }
    }
}
