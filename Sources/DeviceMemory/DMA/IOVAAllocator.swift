/// Hands out IOVAs inside the windows that the IOMMU allows, first fit, aligned, never the same twice at one time.
///
/// It begins in the upper half of the highest window, 256 GiB up where 39 bits are translated: an IOVA is then no address
/// of memory on any smaller machine, and a driver that forgets the IOMMU fails at its first access instead of working by
/// accident. What lies below is used last.
public struct IOVAAllocator: ~Copyable, Sendable {
    /// Free ranges, ascending, never touching.
    private var free: [IOVARange]
    /// Where it begins.
    public let base: UInt64

    /// - Parameters:
    ///   - windows: what the IOMMU accepts (VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE: reserved windows are the gaps).
    ///   - lowest: nothing below is handed out; 16 MiB keeps away from legacy addresses and from zero.
    ///   - seed: moves the beginning by whole GiB; the same seed gives the same addresses.
    public init(windows: [IOVARange], lowest: UInt64 = 1 << 24, seed: UInt64 = 0) {
        base = IOVAAllocator.base(windows: windows, seed: seed)
        free = []
        for window in windows.sorted(by: { $0.start < $1.start }) {
            var first = max(window.start.rawValue, lowest)
            // Windows that overlap or touch become one: no address is handed out twice.
            if let previous = free.last, previous.last == .max || first <= previous.last + 1 {
                if window.last <= previous.last { continue }
                first = previous.start.rawValue
                free.removeLast()
            }
            if let range = IOVARange(first: first, last: window.last) { free.append(range) }
        }
    }

    /// - Parameter alignment: a power of two.
    /// - Returns: nil when no window has that much room.
    public mutating func allocate(byteCount: UInt64, alignment: UInt64) -> IOVARange? {
        precondition(alignment > 0 && alignment & (alignment - 1) == 0 && byteCount > 0)
        return allocate(byteCount: byteCount, alignment: alignment, from: base)
            ?? allocate(byteCount: byteCount, alignment: alignment, from: 0)
    }

    private mutating func allocate(byteCount: UInt64, alignment: UInt64, from lowest: UInt64) -> IOVARange? {
        for index in free.indices where free[index].last >= lowest {
            let window = free[index]
            let (padded, overflow) = max(window.start.rawValue, lowest).addingReportingOverflow(alignment - 1)
            if overflow { continue }
            let first = padded & ~(alignment - 1)
            guard let range = IOVARange(start: IOVA(first), byteCount: byteCount), window.contains(range) else { continue }
            var rest: [IOVARange] = []
            if window.start.rawValue < first, let before = IOVARange(first: window.start.rawValue, last: first - 1) { rest.append(before) }
            if range.last < window.last, let after = IOVARange(first: range.last + 1, last: window.last) { rest.append(after) }
            free.replaceSubrange(index...index, with: rest)
            return range
        }
        return nil
    }

    /// Gives a range back that ``allocate(byteCount:alignment:)`` returned.
    public mutating func release(_ range: IOVARange) {
        precondition(!free.contains { $0.overlaps(range) }, "an IOVA range given back twice")
        var first = range.start.rawValue
        var last = range.last
        var index = free.firstIndex { $0.start > range.start } ?? free.endIndex
        if index < free.endIndex, last != .max, free[index].start.rawValue == last + 1 {
            last = free[index].last
            free.remove(at: index)
        }
        if index > 0, free[index - 1].last != .max, free[index - 1].last + 1 == first {
            index -= 1
            first = free[index].start.rawValue
            free.remove(at: index)
        }
        if let merged = IOVARange(first: first, last: last) { free.insert(merged, at: index) }
    }

    public var freeRanges: [IOVARange] { free }

    /// The middle of the addresses up to the highest one, and up to a quarter of them more by the seed.
    private static func base(windows: [IOVARange], seed: UInt64) -> UInt64 {
        let half = (windows.map(\.last).max() ?? 0) / 2 + 1
        let gibibyte: UInt64 = 1 << 30
        return half + seed % max(half / 2 / gibibyte, 1) * gibibyte
    }
}
