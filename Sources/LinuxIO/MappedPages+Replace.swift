import Glibc
import SystemPackage

extension MappedPages {
    /// Shows another file at the addresses of this mapping, which stay good for whoever holds them. Nobody may touch them
    /// meanwhile.
    ///
    /// After an error fresh memory lies there, which nobody else sees.
    public borrowing func replace(
        sharing descriptor: borrowing OwnedDescriptor, fileOffset: Int, protection: Int32, subject: @autoclosure () -> String
    ) throws(SystemCallError) {
        // SAFETY: (both calls) exactly the pages that this value owns are replaced; what lay there was a mapping of ours.
        let address = unsafe mmap(self.address, byteCount, protection, MAP_SHARED | MAP_FIXED, descriptor.number, fileOffset)
        guard unsafe address == MAP_FAILED else { return }
        let cause = Errno(rawValue: Glibc.errno)
        // The kernel may have removed the old pages already: nothing of somebody else's may come to lie there.
        let filler = unsafe mmap(self.address, byteCount, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
        precondition(unsafe filler != MAP_FAILED, "no memory for pages that were there a moment ago")
        throw SystemCallError(call: "mmap", subject: "\(byteCount) bytes of \(subject())", errno: cause)
    }
}
