extension DMASpace {
    /// A part of a space that lies in one mapping.
    public struct Piece {
        public let range: IOVARange
        public let window: MemoryWindow
        public let access: DMAAccess
        /// The mapper's own number.
        public let tag: UInt32
    }

    /// All of a range, if it has memory behind it and lies in one mapping: the quick way, without an allocation.
    public func onlyPiece(of range: IOVARange) -> Piece? {
        guard let entry = entry(holding: range.start), let byteCount = Int(exactly: range.byteCount),
            let window = entry.window(at: range.start, byteCount: byteCount, access: [])
        else { return nil }
        return Piece(range: range, window: window, access: entry.access, tag: entry.tag)
    }

    /// The parts of a range that have memory behind them, ascending. What was only reserved is left out.
    public func pieces(of range: IOVARange) -> [Piece] {
        entries(in: range).reversed().compactMap { entry in
            guard
                let inside = IOVARange(
                    first: max(entry.range.start.rawValue, range.start.rawValue), last: min(entry.range.last, range.last)),
                let window = entry.window(at: inside.start, byteCount: Int(clamping: inside.byteCount), access: [])
            else { return nil }
            return Piece(range: inside, window: window, access: entry.access, tag: entry.tag)
        }
    }
}

/// Who hears of accesses that a space refused.
public protocol DMAFaultObserver: AnyObject {
    /// - Parameter iova: the first address that is not there, or not for such an access.
    func dmaFaulted(at iova: IOVA, access: DMAAccess)
}

extension DMASpace {
    /// Tells the observer of the first address of an access that is refused; nothing if the access only spans mappings.
    func noteFault(_ iova: IOVA, byteCount: Int, access: DMAAccess) {
        guard let faultObserver, let range = IOVARange(start: iova, byteCount: UInt64(clamping: byteCount)) else { return }
        var at = iova
        for entry in entries(in: range).reversed() {
            guard entry.range.contains(at), entry.isReserved || entry.access.isSuperset(of: access) else { break }
            guard entry.range.last < range.last else { return }
            at = IOVA(entry.range.last &+ 1)
        }
        faultObserver.dmaFaulted(at: at, access: access)
    }
}
