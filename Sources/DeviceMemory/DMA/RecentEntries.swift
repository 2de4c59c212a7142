/// The entries that were found last: a ring, some buffers and another ring are met in turn.
struct RecentEntries {
    private static var capacity: Int { 4 }
    private var entries = InlineArray<4, DMASpace.Entry>(repeating: DMASpace.Entry(reserved: IOVARange.nothing))
    private var next = 0

    @inline(__always)
    func entry(holding iova: IOVA) -> DMASpace.Entry? {
        for index in 0..<RecentEntries.capacity where entries[index].range.contains(iova) { return entries[index] }
        return nil
    }

    /// Takes the place of the one that was remembered first.
    mutating func remember(_ entry: DMASpace.Entry) {
        entries[next] = entry
        next = (next + 1) % RecentEntries.capacity
    }
}
