import DeviceMemory

// A part of a merged area goes: docs/decisions/0009. Hosts remove whole mappings only.

/// Areas that an UNMAP takes a part of, as they were.
struct AreaCuts {
    /// Begins before the addresses.
    var low: IOVAMapping?
    /// Ends behind them; the same one, maybe.
    var high: IOVAMapping?
}

extension GuestDomain {
    /// Areas lose what is inside of the addresses.
    func cutAreas(_ addresses: ClosedRange<IOVA>) -> AreaCuts {
        var cuts = AreaCuts()
        guard areas.count > 0 else { return cuts }
        if let area = areas.mapping(holding: addresses.lowerBound), area.range.start < addresses.lowerBound { cuts.low = area }
        if let area = areas.mapping(holding: addresses.upperBound), area.range.last > addresses.upperBound.rawValue { cuts.high = area }
        for area in [cuts.low, cuts.high].compactMap(\.self) { _ = areas.remove(area.range.addresses) }
        if let low = cuts.low {
            keep(low.part(from: low.range.start, through: IOVA(addresses.lowerBound.rawValue - 1)))
        }
        if let high = cuts.high {
            keep(high.part(from: IOVA(addresses.upperBound.rawValue + 1), through: IOVA(high.range.last)))
        }
        guard case .removed = areas.remove(addresses) else { preconditionFailure("what was cut is out of the way") }
        return cuts
    }

    private func keep(_ rest: IOVAMapping) {
        guard areas.insert(rest) else { preconditionFailure("areas that overlap") }
    }
}

extension IOMMUCore {
    /// The pieces that the UNMAP takes a part of go whole, and what is left of them comes again at once: in between DMA to it
    /// faults.
    /// - Returns: what is still to be removed in the ordinary way.
    func split(_ work: UnmapWork, _ mapper: any HostMapper, _ request: IOMMURequest?) -> ClosedRange<IOVA>? {
        guard mapper.joinsNeighbours else { return work.addresses }
        do throws(HostMapperError) { return try split(work, mapper) } catch {
            lose(work.domain, mapper, work.cuts, request, error)
            return nil
        }
    }

    private func split(_ work: UnmapWork, _ mapper: any HostMapper) throws(HostMapperError) -> ClosedRange<IOVA>? {
        var (first, last) = (work.addresses.lowerBound, work.addresses.upperBound)
        let pieceByteCount = mapper.maximumPieceByteCount
        if let piece = work.cuts.low?.piece(holding: first, pieceByteCount), piece.range.start < first {
            try split(piece, removing: first...last, mapper)
            guard piece.range.last < last.rawValue else { return nil }
            first = IOVA(piece.range.last + 1)
        }
        if let piece = work.cuts.high?.piece(holding: last, pieceByteCount), piece.range.last > last.rawValue {
            try split(piece, removing: first...last, mapper)
            guard piece.range.start > first else { return nil }
            last = IOVA(piece.range.start.rawValue - 1)
        }
        return first...last
    }

    private func split(_ piece: IOVAMapping, removing addresses: ClosedRange<IOVA>, _ mapper: any HostMapper) throws(HostMapperError) {
        splits &+= 1
        hostCalls.unmaps &+= 1
        mapper.unmap(piece.range)
        if piece.range.start < addresses.lowerBound {
            hostCalls.maps &+= 1
            try mapper.map(piece.part(from: piece.range.start, through: IOVA(addresses.lowerBound.rawValue - 1)))
        }
        if piece.range.last > addresses.upperBound.rawValue {
            hostCalls.maps &+= 1
            try mapper.map(piece.part(from: IOVA(addresses.upperBound.rawValue + 1), through: IOVA(piece.range.last)))
        }
    }

    /// A mapper does not hold what the guest has mapped: nothing gets through it until its endpoints are attached again.
    private func lose(
        _ domain: GuestDomain, _ mapper: any HostMapper, _ cuts: AreaCuts, _ request: IOMMURequest?, _ error: HostMapperError
    ) {
        let area = cuts.low ?? cuts.high
        for endpoint in groups.values.flatMap(\.endpoints).sorted(by: { $0.id < $1.id }) {
            guard case .translated(let its, let used) = endpoint.path, its === domain, used === mapper else { continue }
            endpoint.block()
            losses &+= 1
            let lost = area.map { "\($0.range)" } ?? "an area"
            note(request, .ok, "endpoint \(endpoint.id) is blocked: what is left of \(lost) was lost: \(error)")
            report(
                IOMMUFault(
                    reason: .unknown, endpoint: endpoint.id, address: area?.range.start ?? IOVA(0), access: area?.access ?? .readWrite))
        }
    }
}

extension IOVAMapping {
    /// What a mapper holds as one of an area.
    fileprivate func piece(holding address: IOVA, _ byteCount: UInt64) -> IOVAMapping {
        let bounds = address.pieceBounds(byteCount)
        return part(from: max(range.start, bounds.lowerBound), through: bounds.upperBound)
    }
}
