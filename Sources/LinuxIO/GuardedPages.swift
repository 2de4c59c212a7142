import CLinuxShims
import Glibc
import SystemPackage

/// A mapping of a file that somebody else may make shorter. Where the file ends then, a SIGBUS would end the process
/// (mmap(2)); here the page becomes one of zeroes, private to this process, and ``isBroken`` tells.
public struct GuardedPages: ~Copyable, Sendable {
    private let pages: MappedPages
    private let slot: Int32

    /// - Parameter pageByteCount: what the file's system maps at once: 4096, or a hugepage (statfs(2), f_bsize of hugetlbfs).
    public init(_ pages: consuming MappedPages, pageByteCount: Int, subject: @autoclosure () -> String) throws(SystemCallError) {
        _ = GuardedPages.guardIsInstalled
        // SAFETY: only the address is noted; the slot goes before the mapping does.
        slot = unsafe unic_guard_mapping(pages.address, pages.byteCount, pageByteCount)
        guard slot >= 0 else { throw SystemCallError(call: "mmap", subject: "too many guarded mappings, \(subject())", errno: .noMemory) }
        self.pages = pages
    }

    deinit { unic_unguard_mapping(slot) }

    /// First byte. Valid while this value lives.
    // SAFETY: handed on with its condition.
    @unsafe public var address: UnsafeMutableRawPointer { unsafe pages.address }
    public var byteCount: Int { pages.byteCount }
    /// Whether a page was touched that the file had lost.
    public var isBroken: Bool { unic_mapping_is_broken(slot) != 0 }

    /// How often that happened to any mapping of this process: as long as it stays, nothing has broken.
    public static var errorCount: UInt32 { unic_bus_error_count() }

    private static let guardIsInstalled: Bool = unic_install_bus_error_guard() == 0
}
