import DeviceMemory

/// The windows that a kernel says an IOMMU maps, judged.
enum IOVAWindows {
    /// - Returns: ascending, disjoint.
    static func judge(_ pairs: [(first: UInt64, last: UInt64)]) throws(MalformedInfo) -> [IOVARange] {
        var ranges: [IOVARange] = []
        for (index, pair) in pairs.enumerated() {
            // All 64 bits are one byte more than a count can say: give up the last page, which no allocation misses.
            let usable = pair.first == 0 && pair.last == .max ? pair.last - 4096 : pair.last
            guard let range = IOVARange(first: pair.first, last: usable) else {
                throw MalformedInfo(reason: "IOVA range \(index) ends before it starts")
            }
            ranges.append(range)
        }
        ranges.sort { $0.start < $1.start }
        for (one, next) in zip(ranges, ranges.dropFirst()) where one.overlaps(next) {
            throw MalformedInfo(reason: "IOVA ranges \(one) and \(next) overlap")
        }
        return ranges
    }

    /// The parts that lie in both lists.
    static func common(_ one: [IOVARange], _ other: [IOVARange]) -> [IOVARange] {
        one.flatMap { a in
            other.compactMap { b in IOVARange(first: max(a.start.rawValue, b.start.rawValue), last: min(a.last, b.last)) }
        }
    }

    /// One of `count` parts of the windows, none of which overlaps another: functions that share an address space each have theirs.
    static func part(_ index: Int, of count: Int, in windows: [IOVARange]) -> [IOVARange] {
        guard count > 1 else { return windows }
        let granule: UInt64 = 1 << 21
        return windows.compactMap { window in
            let size = window.byteCount / UInt64(count) & ~(granule - 1)
            guard size > 0, let start = window.start.advanced(by: UInt64(index) * size) else { return nil }
            return IOVARange(start: start, byteCount: size)
        }
    }
}
