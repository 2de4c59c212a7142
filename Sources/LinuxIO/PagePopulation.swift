import Glibc

/// Pages of this process's mappings, made in advance.
public enum PagePopulation {
    /// Makes pages that are not there yet, as a first access would. Nothing in them changes; whoever accesses them later, or pins
    /// them, finds them there. Where it fails (no such mapping, no memory, a file that became shorter) the later access tells why.
    /// madvise(2), MADV_POPULATE_READ and MADV_POPULATE_WRITE: Linux 5.14; an older kernel does nothing.
    /// - Parameters:
    ///   - address: of a page.
    ///   - isWritten: the pages are going to be written, too.
    public static func populate(address: UInt64, byteCount: UInt64, isWritten: Bool) {
        guard let address = UInt(exactly: address), let byteCount = Int(exactly: byteCount) else { return }
        // SAFETY: the kernel judges the range; what is there keeps its contents, and nothing is mapped or unmapped.
        _ = unsafe madvise(
            UnsafeMutableRawPointer(bitPattern: address), byteCount, isWritten ? MADV_POPULATE_WRITE : MADV_POPULATE_READ)
    }
}
