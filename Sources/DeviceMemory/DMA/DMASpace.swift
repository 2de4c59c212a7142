/// The memory that a device model may reach: IOVA ranges and what lies behind them. A model's only way to guest memory.
///
/// Every access is checked against the table; bytes outside of it, or without the permission, are not touched.
/// One thread at a time uses a space.
public final class DMASpace {
    public enum MapError: Error, Equatable {
        case overlaps(IOVARange)
        case tooMany(limit: Int)
        case sizeMismatch
    }

    private var table = DMATable<Entry>()
    private var recent = RecentEntries()
    private var joined = JoinedWindows()
    /// A peer that maps must not make this process grow without end.
    public let maximumEntries: Int

    /// How often anything was unmapped: as long as it stays, what ``translate(_:byteCount:access:)`` gave stays good.
    public private(set) var removals: UInt64 = 0
    /// How often anything was mapped or unmapped: as long as it stays, an access that was refused is refused again.
    public private(set) var changes: UInt64 = 0
    public private(set) var mappedByteCount: UInt64 = 0

    /// Who is asked for what lies behind reserved ranges; without one an access there is a fault.
    public weak var indirect: (any IndirectMemory)?
    /// Who knows the files behind its entries, and keeps them; nil: nobody.
    public weak var files: (any MemoryFiles)?
    /// Who hears of refused accesses; it takes itself out before it goes. Not weak: a weak reference makes every retain of its
    /// object a slow one, and a back is asked with each request of a guest's IOMMU.
    public unowned var faultObserver: (any DMAFaultObserver)?

    public init(maximumEntries: Int = 65535) { self.maximumEntries = maximumEntries }

    public var count: Int { table.count }
    /// What the table itself takes of this process's memory.
    public var tableByteCount: Int { table.memoryByteCount }

    /// Whether no entry overlaps `range`.
    public func isFree(_ range: IOVARange) -> Bool { entry(overlapping: range) == nil }

    /// - Parameters:
    ///   - window: as many bytes as `range`; its maker keeps the memory alive until ``unmap(_:)``.
    ///   - tag: a number of the caller's, which ``unmap(_:)`` gives back with the entry.
    public func map(_ range: IOVARange, to window: MemoryWindow, access: DMAAccess, tag: UInt32 = 0) throws(MapError) {
        guard UInt64(window.byteCount) == range.byteCount else { throw .sizeMismatch }
        try insert(Entry(range, to: window, access: access, tag: tag))
        mappedByteCount &+= range.byteCount
    }

    /// Occupies a range without anything behind it that could be shown: ``translate(_:byteCount:access:)`` never finds it,
    /// copies ask ``indirect``.
    public func reserve(_ range: IOVARange) throws(MapError) { try insert(Entry(reserved: range)) }

    private func insert(_ entry: Entry) throws(MapError) {
        guard count < maximumEntries else { throw .tooMany(limit: maximumEntries) }
        if let other = self.entry(overlapping: entry.range) { throw .overlaps(other.range) }
        table.insert(entry)
        changes &+= 1
    }

    /// Whether an entry is only partly inside `range`.
    public func cuts(_ range: IOVARange) -> Bool { table.entry(cutBy: range.start.rawValue, through: range.last) != nil }

    /// Removes every entry that lies inside `range`. An entry that is only partly inside stays: returns nil then and removes nothing.
    public func unmap(_ range: IOVARange) -> [Entry]? {
        if cuts(range) { return nil }
        var removed: [Entry] = []
        remove(range) { removed.append($0) }
        return removed
    }

    /// The same for those whose entries are never cut, and who have no use for them: nothing is allocated.
    public func unmapEntries(startingIn range: IOVARange) { remove(range) { _ in } }

    private func remove(_ range: IOVARange, _ shown: (Entry) -> Void) {
        let before = table.count
        var byteCount: UInt64 = 0
        table.remove(range.start.rawValue, through: range.last) { entry in
            if !entry.isReserved { byteCount &+= entry.range.byteCount }
            shown(entry)
        }
        guard table.count != before else { return }
        mappedByteCount &-= byteCount
        recent.forgetAll()
        joined.removeAll()
        removals &+= 1
        changes &+= 1
    }

    /// Removes everything. Returns how many entries there were.
    @discardableResult public func unmapAll() -> Int {
        defer {
            table.removeAll()
            recent.forgetAll()
            mappedByteCount = 0
            joined.removeAll()
            removals &+= 1
            changes &+= 1
        }
        return count
    }

    /// The entries that a range touches, the highest first.
    public func entries(in range: IOVARange) -> [Entry] {
        var found: [Entry] = []
        var last = range.last
        while let entry = table.last(startingUpTo: last), entry.range.overlaps(range) {
            found.append(entry)
            guard entry.range.start.rawValue > 0 else { break }
            last = entry.range.start.rawValue - 1
        }
        return found
    }

    /// The memory behind `byteCount` bytes at `iova`, if one entry holds them all and permits `access`.
    public func translate(_ iova: IOVA, byteCount: Int, access: DMAAccess) -> MemoryWindow? {
        if let entry = recent.entry(holding: iova), let window = entry.window(at: iova, byteCount: byteCount, access: access) {
            return window
        }
        return search(iova, byteCount: byteCount, access: access)
    }

    /// Apart from the quick way, whose registers it would take.
    @inline(never)
    private func search(_ iova: IOVA, byteCount: Int, access: DMAAccess) -> MemoryWindow? {
        if let window = lookUp(iova)?.window(at: iova, byteCount: byteCount, access: access) { return window }
        noteFault(iova, byteCount: byteCount, access: access)
        return nil
    }

    /// The same for a range that may lie in several entries, as one window: for rings, which live long. As good as
    /// ``translate(_:byteCount:access:)``'s until ``removals`` changes.
    public func window(_ iova: IOVA, byteCount: Int, access: DMAAccess) -> MemoryWindow? {
        if let one = translate(iova, byteCount: byteCount, access: access) { return one }
        guard byteCount > 0, let range = IOVARange(start: iova, byteCount: UInt64(byteCount)) else { return nil }
        return joined.window(on: range, access: access, entries: entries(in: range))
    }

    /// Whether a page of such a window was touched that its file had lost.
    public var hasBrokenWindow: Bool { joined.isBroken }

    /// Copies from the device's address into memory of ours; ranges may span entries. False, with nothing or a part copied, on a fault.
    public func read(_ iova: IOVA, byteCount: Int, to target: MemoryWindow, at targetOffset: Int) -> Bool {
        transfer(iova, byteCount: byteCount, access: .read) { window, done in
            window.copy(at: 0, byteCount: window.byteCount, to: target, at: targetOffset + done)
        } asking: { at, count, done in
            indirect?.read(at, byteCount: count, to: target, at: targetOffset + done) ?? 0
        }
    }

    /// Copies memory of ours to the device's address.
    public func write(_ iova: IOVA, byteCount: Int, from source: MemoryWindow, at sourceOffset: Int) -> Bool {
        transfer(iova, byteCount: byteCount, access: .write) { window, done in
            source.copy(at: sourceOffset + done, byteCount: window.byteCount, to: window, at: 0)
        } asking: { at, count, done in
            indirect?.write(at, byteCount: count, from: source, at: sourceOffset + done) ?? 0
        }
    }

    /// Walks the pieces of a range. Total: never traps, whatever the numbers.
    @inline(__always)
    private func transfer(
        _ iova: IOVA, byteCount: Int, access: DMAAccess, _ body: (MemoryWindow, Int) -> Void, asking: (IOVA, Int, Int) -> Int
    ) -> Bool {
        var at = iova
        var done = 0
        while done < byteCount {
            guard let entry = entry(holding: at) else {
                noteFault(at, byteCount: 1, access: access)
                return false
            }
            var here = Int(clamping: min(UInt64(byteCount - done), entry.range.last - at.rawValue &+ 1))
            if let window = entry.window(at: at, byteCount: here, access: access) {
                body(window, done)
            } else {
                guard entry.isReserved else {
                    noteFault(at, byteCount: 1, access: access)
                    return false
                }
                here = min(asking(at, here, done), here)
                guard here > 0 else { return false }
            }
            done += here
            if done < byteCount {
                guard let next = at.advanced(by: UInt64(here)) else { return false }
                at = next
            }
        }
        return true
    }

    func entry(holding iova: IOVA) -> Entry? { recent.entry(holding: iova) ?? lookUp(iova) }

    private func lookUp(_ iova: IOVA) -> Entry? {
        guard let found = table.last(startingUpTo: iova.rawValue), found.range.contains(iova) else { return nil }
        recent.remember(found)
        return found
    }

    /// Entries are disjoint: the last one that starts in or before the range reaches into it, or none does.
    private func entry(overlapping range: IOVARange) -> Entry? {
        guard let last = table.last(startingUpTo: range.last), last.range.overlaps(range) else { return nil }
        return last
    }
}
