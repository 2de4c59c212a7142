import DeviceMemory
import IOMMURelay

/// What is done before others have their turn: a piece, or many small ones.
struct HostTurn {
    private var byteCount: UInt64
    private var calls: Int

    init() { (byteCount, calls) = (0, 0) }

    /// One of so many bytes is done in it.
    init(_ byteCount: UInt64) { (self.byteCount, calls) = (byteCount, 1) }

    /// The first is always granted.
    mutating func grants(_ more: UInt64, of piece: UInt64) -> Bool {
        let (sum, overflow) = byteCount.addingReportingOverflow(more)
        guard calls == 0 || calls < 512 && !overflow && sum <= piece else { return false }
        (byteCount, calls) = (sum, calls + 1)
        return true
    }
}

/// How far the pages of a piece are made.
struct PagesInTheMaking {
    /// 256 pages: 4 ms where one takes 15 µs.
    static var partByteCount: UInt64 { 1 << 20 }
    static var stepNanoseconds: UInt64 { 5_000_000 }

    let range: IOVARange
    /// nil: all are made.
    private var next: UInt64?

    init(_ range: IOVARange) {
        self.range = range
        next = range.start.rawValue
    }

    var isDone: Bool { next == nil }

    mutating func takePart() -> IOVARange? {
        guard let first = next else { return nil }
        let (end, overflow) = first.addingReportingOverflow(Self.partByteCount - 1)
        let last = overflow ? range.last : min(end, range.last)
        next = last < range.last ? last + 1 : nil
        return IOVARange(first: first, last: last)
    }
}
