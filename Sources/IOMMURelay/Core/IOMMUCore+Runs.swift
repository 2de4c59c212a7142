import DeviceMemory

// Requests of one batch that continue each other are carried out as one: docs/decisions/0009.

extension IOMMURequest {
    /// Whether the two could have been one: the addresses, and of a MAP the guest memory and the access, go on.
    func continues(_ previous: IOMMURequest) -> Bool {
        switch (previous, self) {
        case (
            .map(let domain, let first, let last, let physical, let flags),
            .map(let nextDomain, let next, _, let nextPhysical, let nextFlags)
        ):
            guard domain == nextDomain, flags == nextFlags, first <= last, last < .max, next == last + 1 else { return false }
            let (behind, overflow) = physical.rawValue.addingReportingOverflow(next - first)
            return !overflow && nextPhysical.rawValue == behind
        case (.unmap(let domain, let first, let last), .unmap(let nextDomain, let next, _)):
            return domain == nextDomain && first <= last && last < .max && next == last + 1
        default: return false
        }
    }

    /// Whether another one may continue it.
    var mayBeContinued: Bool {
        switch self {
        case .map, .unmap: true
        case .attach, .detach, .probe: false
        }
    }
}

extension IOMMUCore {
    public func begin(together requests: [IOMMURequest]) -> IOMMUProgress {
        precondition(isIdle && requests.count > 1, "a run before the request under way is done, or of one")
        callDepth += 1
        defer { callDepth -= 1 }
        noteBeginning()
        guard !late.isEmpty, requests.contains(where: mustSettle) else { return startTogether(requests) }
        return settle(then: requests)
    }

    func startTogether(_ requests: [IOMMURequest]) -> IOMMUProgress {
        run = (requests[0].kind, requests)
        return counted(start(requests), requests[0])
    }

    private func start(_ requests: [IOMMURequest]) -> IOMMUProgress {
        switch (requests[0], requests[requests.count - 1]) {
        case (.map(let id, let first, _, let physical, let flags), .map(_, _, let last, _, _)):
            return mapTogether(requests, id, first, last, physical, DMAAccess(rawValue: flags))
        case (.unmap(let id, let first, _), .unmap(_, _, let last)): return unmapTogether(requests, id, first, last)
        default: preconditionFailure("these do not continue each other")
        }
    }

    private func mapTogether(
        _ requests: [IOMMURequest], _ id: UInt32, _ first: UInt64, _ last: UInt64, _ physical: GuestPhysicalAddress, _ access: DMAAccess
    ) -> IOMMUProgress {
        // All 2^64 addresses are no range.
        guard let range = IOVARange(first: first, last: last) else { return .done(.range) }
        var admitted: UInt64?
        for request in requests {
            guard case .map(_, let first, let last, let physical, let flags) = request else { preconditionFailure("no MAP") }
            let status = admit(id, first: first, last: last, physical, flags)
            guard status == .ok else {
                guard let admitted, let domain = domains[id] else { return .done(status) }
                return removed(domain, range.start...IOVA(admitted), status)
            }
            admitted = last
        }
        guard let domain = domains[id] else { preconditionFailure("all were admitted") }
        guard domain.areas.insert(IOVAMapping(range: range, physical: physical, access: access)) else {
            preconditionFailure("areas lie in mappings, and nothing was mapped there")
        }
        return carryOut(domain, range.addresses, requests[0])
    }

    /// One after the other none would have been refused: no mapping is cut by any of them.
    private func unmapTogether(_ requests: [IOMMURequest], _ id: UInt32, _ first: UInt64, _ last: UInt64) -> IOMMUProgress {
        guard let domain = domains[id] else { return .done(.noEntry) }
        guard !domain.isBypass else { return .done(.invalid) }
        for request in requests {
            guard case .unmap(_, let first, let last) = request else { preconditionFailure("no UNMAP") }
            guard first <= last, domain.table.mapping(cutBy: IOVA(first)...IOVA(last)) == nil else { return .done(.range) }
        }
        return remove(domain, IOVA(first)...IOVA(last), requests[0])
    }
}
