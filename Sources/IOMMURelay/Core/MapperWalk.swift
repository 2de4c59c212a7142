public import DeviceMemory

/// What one step may do, so that no other message waits for long: at most so many calls, and bytes of one piece.
struct StepBudget {
    private var calls: Int
    private var byteCount: UInt64 = 0

    init(calls: Int) { self.calls = calls }

    /// The first call is always granted.
    mutating func grants(_ more: UInt64, maximumPiece: UInt64) -> Bool {
        let (sum, overflow) = byteCount.addingReportingOverflow(more)
        guard calls > 0, byteCount == 0 || !overflow && sum <= maximumPiece else { return false }
        calls -= 1
        byteCount = sum
        return true
    }
}

struct HostCalls: Equatable, Sendable {
    var maps: UInt64 = 0
    var unmaps: UInt64 = 0
}

/// Carries a stretch of a domain's table out to one mapper, or takes it away again, in steps.
///
/// Pieces end where an address is a multiple of the mapper's piece, wherever a mapping begins: a later walk finds the same
/// ends, and hugepages inside stay whole.
struct MapperWalk {
    let mapper: any HostMapper
    /// All below is done; nil when all is.
    private(set) var next: IOVA?
    private let last: IOVA
    private let pieceByteCount: UInt64
    private let answersLater: Bool
    /// Where the piece ends that was asked for last.
    private var asked: UInt64?

    init(_ mapper: any HostMapper, _ addresses: ClosedRange<IOVA>) {
        self.mapper = mapper
        next = addresses.lowerBound
        last = addresses.upperBound
        pieceByteCount = mapper.maximumPieceByteCount
        answersLater = mapper.answersLater
        precondition(pieceByteCount > 0, "a mapper that takes nothing")
    }

    var isDone: Bool { next == nil }

    /// On an error all below `next` is mapped, and nothing else.
    mutating func map(
        _ table: borrowing MappingTable, joined areas: borrowing MappingTable, _ budget: inout StepBudget, _ calls: inout HostCalls
    ) throws(HostMapperError) {
        if let asked {
            guard try mapper.isDone() else { return }
            goOn(behind: asked)
        }
        let joins = areas.count > 0 && mapper.joinsNeighbours
        while let start = next {
            guard var mapping = table.first(overlapping: start...last) else { return next = nil }
            if joins, let area = areas.mapping(holding: max(start, mapping.range.start)) { mapping = area }
            let piece = mapping.part(from: max(start, mapping.range.start), through: end(ofPieceAt: max(start, mapping.range.start)))
            guard budget.grants(piece.range.byteCount, maximumPiece: mapper.maximumStepByteCount), mapper.prepareStep(piece) else { return }
            calls.maps &+= 1
            try mapper.map(piece)
            guard !answersLater else { return asked = piece.range.last }
            goOn(behind: piece.range.last)
        }
    }

    mutating func unmap(_ table: borrowing MappingTable, _ budget: inout StepBudget, _ calls: inout HostCalls) {
        if let asked {
            // Whoever cannot unmap is gone, and blocked.
            guard (try? mapper.isDone()) ?? true else { return }
            goOn(behind: asked)
        }
        while let start = next {
            guard let lowest = table.first(overlapping: start...last) else { return next = nil }
            let first = max(start, lowest.range.start)
            let end = min(self.end(ofPieceAt: first), last)
            let highest = table.last(overlapping: first...end) ?? lowest
            guard let range = IOVARange(first: first.rawValue, last: min(end.rawValue, highest.range.last)) else { return next = nil }
            guard budget.grants(range.byteCount, maximumPiece: pieceByteCount) else { return }
            calls.unmaps &+= 1
            mapper.unmap(range)
            guard !answersLater else { return asked = range.last }
            goOn(behind: range.last)
        }
    }

    private mutating func goOn(behind address: UInt64) {
        asked = nil
        next = address < last.rawValue ? IOVA(address + 1) : nil
    }

    private func end(ofPieceAt start: IOVA) -> IOVA { start.pieceBounds(pieceByteCount).upperBound }
}

extension IOVA {
    /// Where the pieces of a mapper begin and end around this address.
    public func pieceBounds(_ byteCount: UInt64) -> ClosedRange<IOVA> {
        let start = rawValue - rawValue % byteCount
        let (end, overflow) = start.addingReportingOverflow(byteCount - 1)
        return IOVA(start)...IOVA(overflow ? .max : end)
    }
}

extension IOVAMapping {
    /// - Parameter range: inside.
    public func part(_ range: IOVARange) -> IOVAMapping { part(from: range.start, through: IOVA(range.last)) }

    /// - Parameter first: inside.
    func part(from first: IOVA, through last: IOVA) -> IOVAMapping {
        let offset = first.rawValue - range.start.rawValue
        guard let part = IOVARange(first: first.rawValue, last: min(range.last, last.rawValue)),
            let physical = physical.advanced(by: offset)
        else { preconditionFailure("a mapping whose guest memory wraps: MAP refuses them") }
        return IOVAMapping(range: part, physical: physical, access: access)
    }
}
