/// The memory that a device model may reach: IOVA ranges and what lies behind them. A model's only way to guest memory.
///
/// Every access is checked against the table; bytes outside of it, or without the permission, are not touched.
/// One thread at a time uses a space.
public final class DMASpace {
    public struct Entry: Sendable {
        public let range: IOVARange
        public let window: MemoryWindow
        public let access: DMAAccess
    }

    public enum MapError: Error, Equatable {
        case overlaps(IOVARange)
        case tooMany(limit: Int)
        case sizeMismatch
    }

    private var table = DMATable()
    /// A peer that maps must not make this process grow without end.
    public let maximumEntries: Int

    /// How often anything was unmapped: as long as it stays, what ``translate(_:byteCount:access:)`` gave stays good.
    public private(set) var removals: UInt64 = 0

    public init(maximumEntries: Int = 65535) { self.maximumEntries = maximumEntries }

    public var count: Int { table.entries.count }
    public var mappedByteCount: UInt64 { table.entries.reduce(0) { $0 &+ $1.range.byteCount } }

    /// Whether no entry overlaps `range`.
    public func isFree(_ range: IOVARange) -> Bool {
        let index = table.firstIndex(endingAtOrAfter: range.start)
        return index >= table.entries.count || !table.entries[index].range.overlaps(range)
    }

    /// - Parameter window: as many bytes as `range`; its maker keeps the memory alive until ``unmap(_:)``.
    public func map(_ range: IOVARange, to window: MemoryWindow, access: DMAAccess) throws(MapError) {
        guard UInt64(window.byteCount) == range.byteCount else { throw .sizeMismatch }
        guard table.entries.count < maximumEntries else { throw .tooMany(limit: maximumEntries) }
        let index = table.firstIndex(endingAtOrAfter: range.start)
        if index < table.entries.count, table.entries[index].range.overlaps(range) { throw .overlaps(table.entries[index].range) }
        table.entries.insert(Entry(range: range, window: window, access: access), at: index)
        table.lastHit = index
    }

    /// Removes every entry that lies inside `range`. An entry that is only partly inside stays: returns nil then and removes nothing.
    public func unmap(_ range: IOVARange) -> [Entry]? {
        let first = table.firstIndex(endingAtOrAfter: range.start)
        var end = first
        while end < table.entries.count, table.entries[end].range.overlaps(range) {
            guard range.contains(table.entries[end].range) else { return nil }
            end += 1
        }
        let removed = Array(table.entries[first..<end])
        table.entries.removeSubrange(first..<end)
        table.lastHit = 0
        if !removed.isEmpty { removals &+= 1 }
        return removed
    }

    /// Removes everything.
    public func unmapAll() -> [Entry] {
        defer { table.entries = []; table.lastHit = 0; removals &+= 1 }
        return table.entries
    }

    /// The memory behind `byteCount` bytes at `iova`, if one entry holds them all and permits `access`.
    public func translate(_ iova: IOVA, byteCount: Int, access: DMAAccess) -> MemoryWindow? {
        table.translate(iova, byteCount: byteCount, access: access)
    }

    /// Copies from the device's address into memory of ours; ranges may span entries. False, with nothing or a part copied, on a fault.
    public func read(_ iova: IOVA, byteCount: Int, to target: MemoryWindow, at targetOffset: Int) -> Bool {
        transfer(iova, byteCount: byteCount, access: .read) { window, done in
            window.copy(at: 0, byteCount: window.byteCount, to: target, at: targetOffset + done)
        }
    }

    /// Copies memory of ours to the device's address.
    public func write(_ iova: IOVA, byteCount: Int, from source: MemoryWindow, at sourceOffset: Int) -> Bool {
        transfer(iova, byteCount: byteCount, access: .write) { window, done in
            source.copy(at: sourceOffset + done, byteCount: window.byteCount, to: window, at: 0)
        }
    }

    /// Walks the pieces of a range. Total: never traps, whatever the numbers.
    @inline(__always)
    private func transfer(_ iova: IOVA, byteCount: Int, access: DMAAccess, _ body: (MemoryWindow, Int) -> Void) -> Bool {
        if let window = translate(iova, byteCount: byteCount, access: access) {
            body(window, 0)
            return true
        }
        var at = iova
        var done = 0
        while done < byteCount {
            guard let entry = table.entry(holding: at), entry.access.isSuperset(of: access) else { return false }
            let here = Int(clamping: min(UInt64(byteCount - done), entry.range.last - at.rawValue &+ 1))
            guard here > 0, let window = translate(at, byteCount: here, access: access) else { return false }
            body(window, done)
            done += here
            if done < byteCount {
                guard let next = at.advanced(by: UInt64(here)) else { return false }
                at = next
            }
        }
        return true
    }
}

/// The entries of a space, and the one that was found last: a value, so that a look-up is one access of its owner.
struct DMATable {
    /// Ascending, disjoint.
    var entries: [DMASpace.Entry] = []
    var lastHit = 0

    mutating func translate(_ iova: IOVA, byteCount: Int, access: DMAAccess) -> MemoryWindow? {
        guard byteCount > 0, let range = IOVARange(start: iova, byteCount: UInt64(byteCount)), let entry = entry(holding: iova),
            entry.access.isSuperset(of: access), entry.range.contains(range)
        else { return nil }
        return entry.window.slice(at: Int(iova.rawValue - entry.range.start.rawValue), byteCount: byteCount)
    }

    mutating func entry(holding iova: IOVA) -> DMASpace.Entry? {
        if lastHit < entries.count {
            let entry = entries[lastHit]
            if entry.range.start <= iova, iova.rawValue <= entry.range.last { return entry }
        }
        let index = firstIndex(endingAtOrAfter: iova)
        guard index < entries.count, entries[index].range.start <= iova else { return nil }
        lastHit = index
        return entries[index]
    }

    func firstIndex(endingAtOrAfter iova: IOVA) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].range.last < iova.rawValue { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
