import LinuxIO

/// Windows on ranges that a space holds in several entries: behind an IOMMU of the driver a ring of several pages is
/// scattered over memory.
struct JoinedWindows {
    /// Rings of a function are some dozen, and small.
    static let maximumCount = 64
    static let maximumByteCount = 4 << 20

    private final class Joined {
        /// Whole pages.
        let range: IOVARange
        let access: DMAAccess
        let pages: JoinedPages

        init(_ range: IOVARange, _ access: DMAAccess, _ pages: consuming JoinedPages) {
            self.range = range
            self.access = access
            self.pages = pages
        }

        var window: MemoryWindow {
            // SAFETY: exactly the mapping that this object owns; the space drops it only when something is unmapped.
            unsafe MemoryWindow(pages.address, byteCount: pages.byteCount)
        }
    }

    private var joined: [Joined] = []

    /// Whether a page of one was touched that its file had lost.
    var isBroken: Bool { joined.contains { $0.pages.isBroken } }

    /// - Parameter entries: all that the range touches, the highest first.
    mutating func window(on range: IOVARange, access: DMAAccess, entries: [DMASpace.Entry]) -> MemoryWindow? {
        let first = range.start.rawValue & ~4095
        guard let whole = IOVARange(first: first, last: range.last | 4095), whole.byteCount <= UInt64(Self.maximumByteCount) else {
            return nil
        }
        let offset = Int(range.start.rawValue - first)
        if let known = joined.first(where: { $0.range == whole && $0.access == access }) {
            return known.window.slice(at: offset, byteCount: Int(range.byteCount))
        }
        guard joined.count < Self.maximumCount, let made = Self.join(whole, access, entries) else { return nil }
        joined.append(made)
        return made.window.slice(at: offset, byteCount: Int(range.byteCount))
    }

    mutating func removeAll() { joined = [] }

    private static func join(_ whole: IOVARange, _ access: DMAAccess, _ entries: [DMASpace.Entry]) -> Joined? {
        var pieces: [(address: UInt, byteCount: Int)] = []
        var next = whole.start.rawValue
        for entry in entries.reversed() {
            let from = max(entry.range.start, whole.start)
            let last = min(entry.range.last, whole.last)
            guard from.rawValue == next,
                let window = entry.window(at: from, byteCount: Int(last - from.rawValue) + 1, access: access)
            else { return nil }
            // SAFETY: only the address is taken.
            pieces.append((unsafe UInt(bitPattern: window.baseAddress), window.byteCount))
            guard last < whole.last else { break }
            next = last + 1
        }
        let size = pieces.reduce(0) { $0 + $1.byteCount }
        guard UInt64(size) == whole.byteCount else { return nil }
        do throws(SystemCallError) { return Joined(whole, access, try JoinedPages(pieces)) } catch { return nil }
    }
}
