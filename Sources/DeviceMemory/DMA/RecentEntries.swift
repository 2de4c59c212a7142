/// The entries that were found last: a ring, some buffers and another ring are met in turn.
@safe struct RecentEntries: ~Copyable {
    private static var capacity: Int { 4 }
    /// In memory of their own, so that a look does not copy them.
    private let entries: UnsafeMutablePointer<DMASpace.Entry>
    private var next = 0

    init() {
        // SAFETY: initialized by forgetAll, before anybody reads them.
        unsafe entries = UnsafeMutablePointer<DMASpace.Entry>.allocate(capacity: RecentEntries.capacity)
        forgetAll()
    }

    deinit {
        // SAFETY: allocated by init; no address of them is given away.
        unsafe entries.deallocate()
    }

    @inline(__always)
    func entry(holding iova: IOVA) -> DMASpace.Entry? {
        for index in 0..<RecentEntries.capacity {
            // SAFETY: below the capacity.
            let entry = unsafe entries + index
            if unsafe entry.pointee.range.contains(iova) { return unsafe entry.pointee }
        }
        return nil
    }

    /// Takes the place of the one that was remembered first.
    mutating func remember(_ entry: DMASpace.Entry) {
        // SAFETY: `next` stays below the capacity.
        unsafe entries[next] = entry
        next = (next + 1) % RecentEntries.capacity
    }

    func forgetAll() {
        // SAFETY: exactly the capacity.
        unsafe entries.initialize(repeating: DMASpace.Entry(reserved: IOVARange.nothing), count: RecentEntries.capacity)
    }
}
