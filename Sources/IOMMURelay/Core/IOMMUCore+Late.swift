import DeviceMemory

// UNMAPs that are answered before they are carried out, as Linux does with its own IOMMUs unless iommu.strict=1. Until then the
// device still reaches memory that the guest may be using for something else.

/// How long what was unmapped may still be reached.
public struct LazyUnmap: Equatable, Sendable {
    /// Mappings that wait at most; the next UNMAP has them carried out first.
    public var mappings: Int
    public var milliseconds: UInt64

    /// Linux's flush queue has 256 entries and 10 ms (drivers/iommu/dma-iommu.c).
    public init(mappings: Int = 256, milliseconds: UInt64 = 10) {
        precondition(mappings > 0)
        self.mappings = mappings
        self.milliseconds = milliseconds
    }
}

/// All domains' together.
struct LateUnmaps {
    var count = 0
    var byteCount: UInt64 = 0
    /// When the clock was first looked at since there are some.
    var since: UInt64?
    /// What is being carried out.
    var work: UnmapWork?

    var isEmpty: Bool { count == 0 }
}

extension IOMMUCore {
    public var hasDeferredWork: Bool { !late.isEmpty }

    /// Carries out what has waited for long enough, a step of it.
    public func carryOutDeferred(at nanoseconds: UInt64) {
        guard isIdle, !late.isEmpty, let lazyUnmap else { return }
        callDepth += 1
        defer { callDepth -= 1 }
        let since = late.since ?? nanoseconds
        late.since = since
        if late.work != nil || nanoseconds &- since >= lazyUnmap.milliseconds &* 1_000_000 { _ = settleStep() }
    }

    /// False: it is not that kind of IOMMU, or too much at once: carry it out.
    func putOff(_ domain: GuestDomain, _ addresses: ClosedRange<IOVA>) -> Bool {
        guard let lazyUnmap, late.count < lazyUnmap.mappings else { return false }
        var fits = 0
        domain.table.visit(from: addresses.lowerBound) { mapping in
            guard mapping.range.start <= addresses.upperBound else { return false }
            fits += 1
            return fits <= lazyUnmap.mappings - late.count
        }
        guard fits <= lazyUnmap.mappings - late.count else { return false }
        guard case .removed(let mappings) = domain.table.remove(addresses) else { preconditionFailure("nothing was cut before") }
        mappingCount -= mappings.count
        late.count += mappings.count
        for mapping in mappings {
            mappedByteCount -= mapping.range.byteCount
            late.byteCount += mapping.range.byteCount
            guard domain.late.insert(mapping) else { preconditionFailure("mapped twice") }
        }
        return true
    }

    /// Whether the request could meet what mappers hold and the guest has given up, or hosts would hold more than they may.
    func mustSettle(before request: IOMMURequest) -> Bool {
        switch request {
        case .attach, .detach: return true
        case .probe: return false
        case .unmap(let id, let first, let last):
            guard late.work == nil, late.count < lazyUnmap?.mappings ?? 0, first <= last else { return true }
            // Calls to a host span what lies in between, and may cut no piece of it.
            return domains[id]?.late.first(overlapping: IOVA(first)...IOVA(last)) != nil
        case .map(let id, let first, let last, _, _):
            guard late.work == nil, first <= last, mappingCount + late.count < limits.mappings,
                last - first < limits.mappedBytes - min(limits.mappedBytes, mappedByteCount + late.byteCount)
            else { return true }
            return domains[id]?.late.first(overlapping: IOVA(first)...IOVA(last)) != nil
        }
    }

    /// Carries all of it out, and then the requests: one, or several together.
    func settle(then requests: [IOMMURequest]) -> IOMMUProgress {
        guard settleStep() else { return working(.late(then: requests), requests[0]) }
        return requests.count == 1 ? counted(start(requests[0]), requests[0]) : startTogether(requests)
    }

    func settleAll() { while !settleStep() {} }

    /// False: there is more to do than fits into a step.
    private func settleStep() -> Bool {
        var budget = StepBudget(calls: limits.callsInAStep)
        while !late.isEmpty {
            guard var work = late.work ?? nextLate() else { preconditionFailure("\(late.count) mappings of no domain") }
            guard carryOn(&work, &budget, work.domain.late, nil) else {
                late.work = work
                return false
            }
            late.work = nil
            guard case .removed(let mappings) = work.domain.late.remove(work.addresses) else {
                preconditionFailure("a stretch of whole mappings")
            }
            late.count -= mappings.count
            for mapping in mappings { late.byteCount -= mapping.range.byteCount }
        }
        late.since = nil
        return true
    }

    /// The lowest stretch of neighbours of a domain.
    private func nextLate() -> UnmapWork? {
        guard let domain = domains.values.filter({ $0.late.count > 0 }).min(by: { $0.id < $1.id }) else { return nil }
        var stretch: ClosedRange<IOVA>?
        domain.late.visit(from: IOVA(0)) { mapping in
            guard let known = stretch else {
                stretch = mapping.range.addresses
                return true
            }
            guard mapping.range.start.rawValue == known.upperBound.rawValue &+ 1 else { return false }
            stretch = known.lowerBound...IOVA(mapping.range.last)
            return true
        }
        guard let stretch else { return nil }
        let cuts = domain.cutAreas(stretch)
        return UnmapWork(domain: domain, addresses: stretch, cuts: cuts, index: domain.mappers.count - 1, walk: nil, status: .ok)
    }
}
