import CHugetlbfs
import CLinuxShims
import Glibc
import LinuxIO
import Synchronization
import SystemPackage

/// libhugetlbfs and memfd as safe values. The library keeps its mounts in plain globals: one thread at a time is inside.
enum Hugetlbfs {
    private static let library = Mutex(())

    /// The hugepage sizes that the kernel has, in bytes, ascending (hugetlbfs.h, gethugepagesizes).
    static func pageSizes() -> [Int] {
        library.withLock { _ in
            var sizes = [Int](repeating: 0, count: 16)
            // SAFETY: the array is ours for the call and its length is given.
            let count = unsafe gethugepagesizes(&sizes, Int32(sizes.count))
            guard count > 0 else { return [] }
            return sizes.prefix(Int(count)).sorted()
        }
    }

    /// The hugetlbfs mount for a page size that this process may write to; nil when there is none now.
    static func mount(pageByteCount: Int) -> String? {
        library.withLock { _ in lockedMount(pageByteCount) }
    }

    private static func lockedMount(_ pageByteCount: Int) -> String? {
        unic_hugetlbfs_find_mounts()
        // SAFETY: the library returns nil or a C string that it keeps for good; the copy is made at once.
        guard let path = unsafe hugetlbfs_find_path_for_size(pageByteCount) else { return nil }
        // The library never forgets a mount. One that is gone is an ordinary directory now.
        // SAFETY: the same string.
        guard unsafe hugetlbfs_test_path(path) == 1 else { return nil }
        // SAFETY: the same string.
        return unsafe String(cString: path)
    }

    /// A new file on the mount for a page size, unlinked already: its pages go back when its last user is gone,
    /// killed or not (hugetlbfs.h, hugetlbfs_unlinked_fd_for_size).
    static func unlinkedFile(pageByteCount: Int) throws(SystemCallError) -> OwnedDescriptor {
        let number = try library.withLock { (_) throws(SystemCallError) -> Int32 in
            let mount = lockedMount(pageByteCount) ?? "no hugetlbfs mount"
            errno = ENODEV
            return try systemCall("hugetlbfs_unlinked_fd_for_size", on: mount) { hugetlbfs_unlinked_fd_for_size(pageByteCount) }
        }
        let file = OwnedDescriptor(adopting: number)
        // The library opens without close-on-exec.
        try systemCall("fcntl(F_SETFD)", on: "a hugetlbfs file") { unic_fcntl(number, F_SETFD, Int(FD_CLOEXEC)) }
        return file
    }

    /// A file of hugepages without a mount (memfd_create(2), MFD_HUGETLB).
    static func memoryFile(pageByteCount: Int, name: String) throws(SystemCallError) -> OwnedDescriptor {
        let size = UInt32(pageByteCount.trailingZeroBitCount) << UInt32(MFD_HUGE_SHIFT)
        let flags = UInt32(MFD_CLOEXEC) | UInt32(MFD_ALLOW_SEALING) | UInt32(MFD_HUGETLB) | size
        // SAFETY: the C string lives for the call, which does not keep it.
        let number = try systemCall("memfd_create(MFD_HUGETLB)", on: name) { unsafe unic_memfd_create(name, flags) }
        return OwnedDescriptor(adopting: number)
    }

    /// Gives a new hugepage file its length and every page of it, so that a shortage is an error here and not a SIGBUS
    /// at the first touch: fallocate(2) takes the pages, mmap(2) alone only promises them.
    static func populate(
        _ file: borrowing OwnedDescriptor, byteCount: Int, subject: String
    ) throws(SystemCallError) -> MappedPages {
        let number = file.number
        try systemCall("ftruncate", on: "\(subject) to \(byteCount) bytes") { ftruncate(number, byteCount) }
        let pages = try MappedPages(sharing: file, byteCount: byteCount, subject: subject)
        try systemCall("fallocate", on: "\(byteCount) bytes of \(subject)") { unic_fallocate(number, byteCount) }
        // Page-table entries now rather than at the first packet; a kernel before 5.14 does not know the advice.
        // SAFETY: exactly the mapping just made; the advice changes no contents.
        _ = unsafe madvise(pages.address, byteCount, MADV_POPULATE_WRITE)
        return pages
    }
}
