import CLibfabric

/// Where an application wants its entries, and where their senders' addresses.
@safe struct CompletionBuffer {
    private let entries: UnsafeMutableRawPointer?
    private let sources: UnsafeMutablePointer<UInt64>?
    /// Entries that there is room for.
    let count: Int

    /// nil: room is promised where there is none.
    @unsafe @inline(__always) init?(
        entries: UnsafeMutableRawPointer?, count: Int, sources: UnsafeMutablePointer<UInt64>?
    ) {
        // SAFETY: the application lends this memory for the call (fi_cq(3)).
        guard unsafe entries != nil || count == 0, count >= 0 else { return nil }
        unsafe self.entries = entries
        unsafe self.sources = sources
        self.count = count
    }

    /// - Parameter entryByteCount: one of ``CompletionRecord/byteCount(of:)``.
    @inline(__always) func store(_ record: CompletionRecord, at index: Int, entryByteCount: Int) {
        precondition(index >= 0 && index < count)
        var record = record
        // SAFETY: entry `index` lies in the memory that `init` was promised. The record begins as entries do.
        guard let entry = unsafe entries.map({ unsafe $0 + index &* entryByteCount }) else { return }
        unsafe withUnsafePointer(to: &record) { unsafe entry.copyMemory(from: $0, byteCount: min(entryByteCount, 48)) }
        // SAFETY: as many addresses as entries (fi_cq_readfrom).
        if let sources = unsafe sources { unsafe sources[index] = record.source }
    }
}
