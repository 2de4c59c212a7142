import DeviceMemory

// ATTACH and DETACH. virtio 1.3 §5.13.6.1 and §5.13.6.2; of endpoints that the host cannot keep apart: docs/decisions/0008.

/// A group's endpoints are brought to where the driver wants them, one after the other. Those that have to leave leave first.
struct RouteWork {
    /// What to go back to when an ATTACH fails.
    struct Attempt {
        let id: UInt32
        let previous: UInt32?
    }

    let group: HostGroup
    /// nil: a DETACH, which succeeds whatever the others meet.
    let attempt: Attempt?
    /// Domains that may have lost or got ids.
    let touched: [UInt32]
    /// Who has to leave where it is.
    var leaving: [GuestEndpoint] = []
    /// One that was being filled, and is used by nobody.
    var emptying: (any HostMapper)?
    /// Leaving took more than one step.
    var leftInSteps = false
    var index = 0
    /// The domain's table goes into a mapper that is new to it.
    var walk: MapperWalk?
    var status = IOMMUStatus.ok
    /// It failed: the driver's wish is the earlier one again.
    var isTakenBack = false

    /// False: there is more to do than fits into a step.
    mutating func leave() -> Bool {
        while true {
            if let mapper = emptying {
                guard mapper.unmapStep() else { break }
                emptying = nil
            }
            guard let endpoint = leaving.first else { return true }
            if let mapper = endpoint.emptied, !mapper.unmapStep() { break }
            guard endpoint.back.blockStep() else { break }
            endpoint.leave()
            leaving.removeFirst()
        }
        leftInSteps = true
        return false
    }
}

extension IOMMUCore {
    /// VIRTIO_IOMMU_ATTACH_F_BYPASS
    static var bypassFlag: UInt32 { 1 }

    func attach(_ id: UInt32, _ domainID: UInt32, _ flags: UInt32, _ request: IOMMURequest) -> IOMMUProgress {
        guard flags & ~IOMMUCore.bypassFlag == 0 else { return .done(.invalid) }
        guard let group = groupOfID[id] else { return .done(.noEntry) }
        guard configuration.domainRange.contains(domainID) else { return .done(.range) }
        let isBypass = flags & IOMMUCore.bypassFlag != 0
        if let domain = domains[domainID] {
            guard domain.isBypass == isBypass else { return .done(.invalid) }
            if let window = group.reserved.first(where: { domain.table.first(overlapping: $0.addresses) != nil }) {
                return refuse(
                    request, "domain \(domainID) has mappings in \(window), which is reserved for endpoint \(id) or a sibling of it")
            }
        } else if domains.count >= limits.domains {
            return .done(.noMemory)
        }
        if let objection = group.objection(to: id, joining: domainID) { return refuse(request, objection) }

        if domains[domainID] == nil { domains[domainID] = GuestDomain(id: domainID, isBypass: isBypass) }
        let previous = group.asked[id]
        ask(group, id, for: domainID)
        refreshReserved(domainID)
        return route(group, .init(id: id, previous: previous), touched: [domainID] + (previous.map { [$0] } ?? []), request)
    }

    func detach(_ id: UInt32, _ domainID: UInt32, _ request: IOMMURequest) -> IOMMUProgress {
        guard let group = groupOfID[id] else { return .done(.noEntry) }
        guard group.asked[id] == domainID else { return .done(.invalid) }
        ask(group, id, for: nil)
        return route(group, nil, touched: [domainID], request)
    }

    private func refuse(_ request: IOMMURequest, _ reason: String) -> IOMMUProgress {
        note(request, .unsupported, reason)
        return .done(.unsupported)
    }

    /// Domains stay while they have no id, until ``tidy(_:)``.
    func ask(_ group: HostGroup, _ id: UInt32, for domain: UInt32?) {
        if let old = group.asked[id] { domains[old]?.idCount -= 1 }
        group.setAsked(id, to: domain)
        if let domain { domains[domain]?.idCount += 1 }
    }

    /// A domain that no id is attached to is gone.
    func tidy(_ id: UInt32) {
        guard let domain = domains[id] else { return }
        guard domain.idCount == 0 else { return refreshReserved(id) }
        precondition(domain.mappers.isEmpty, "an endpoint in a domain that nothing is attached to")
        mappingCount -= domain.table.count
        mappedByteCount -= domain.table.mappedByteCount
        domains[id] = nil
    }

    func refreshReserved(_ id: UInt32) {
        domains[id]?.reserved = groups.values.filter { $0.asked.values.contains(id) }.flatMap(\.reserved)
    }
}

// MARK: Where DMA goes

extension IOMMUCore {
    private enum Aim {
        case blocked
        case bypass
        case domain(GuestDomain)
    }

    /// An endpoint gets through when its group is in one domain and its own id is attached: an alias may be a sibling's as well.
    private func aim(_ endpoint: GuestEndpoint, _ group: HostGroup) -> Aim {
        switch group.wish {
        case .nothing: return bypassesUnattached ? .bypass : .blocked
        case .move: return .blocked
        case .domain(let id):
            guard group.asked[endpoint.id] != nil, let domain = domains[id] else { return .blocked }
            return domain.isBypass ? .bypass : .domain(domain)
        }
    }

    private func isThere(_ endpoint: GuestEndpoint, _ group: HostGroup) -> Bool {
        switch (endpoint.path, aim(endpoint, group)) {
        case (.blocked, .blocked), (.bypassing, .bypass): true
        case (.translated(let now, _), .domain(let then)): now === then
        default: false
        }
    }

    /// All leave before one arrives: the siblings' mapper may be one and the same, which is emptied in between.
    private func leaving(_ group: HostGroup) -> [GuestEndpoint] {
        group.endpoints.filter { !$0.isBlocked && !isThere($0, group) }
    }

    private func route(
        _ group: HostGroup, _ attempt: RouteWork.Attempt?, touched: [UInt32], _ request: IOMMURequest
    ) -> IOMMUProgress {
        go(on: RouteWork(group: group, attempt: attempt, touched: touched, leaving: leaving(group)), request)
    }

    func go(on previous: RouteWork, _ request: IOMMURequest) -> IOMMUProgress {
        var work = previous
        var budget = StepBudget(calls: limits.callsInAStep)
        while true {
            guard work.leave() else { return working(.route(work), request) }
            if work.leftInSteps {
                // The rest of this step's time is gone.
                work.leftInSteps = false
                return working(.route(work), request)
            }
            // Whoever leaves has left, before anybody arrives, and before this is answered.
            guard work.walk != nil || isSettled(work.group) else { return working(.route(work), request) }
            if work.status == .ok, work.index < work.group.endpoints.count {
                guard bringNext(&work, &budget, request) else { return working(.route(work), request) }
            } else if work.status != .ok, let attempt = work.attempt, !work.isTakenBack {
                // As the driver sees it nothing changed; but what the endpoints left they do not get back until they are attached again.
                work.isTakenBack = true
                ask(work.group, attempt.id, for: attempt.previous)
                work.leaving = leaving(work.group)
            } else {
                for domain in work.touched { tidy(domain) }
                return .done(work.status)
            }
        }
    }

    /// False: there is more to do than the budget permits.
    private func bringNext(_ work: inout RouteWork, _ budget: inout StepBudget, _ request: IOMMURequest) -> Bool {
        let endpoint = work.group.endpoints[work.index]
        do throws(HostMapperError) {
            guard try bring(endpoint, &work, &budget) else { return false }
        } catch {
            work.leaving = [endpoint]
            work.emptying = work.walk?.mapper
            work.walk = nil
            if work.attempt != nil { work.status = error.attachStatus }
            note(request, work.status, "endpoint \(endpoint.id) stays blocked: \(error)")
        }
        work.index += 1
        return true
    }

    private func isSettled(_ group: HostGroup) -> Bool { group.endpoints.allSatisfy { $0.back.isSettled } }

    /// Whether it has arrived.
    private func bring(_ endpoint: GuestEndpoint, _ work: inout RouteWork, _ budget: inout StepBudget) throws(HostMapperError) -> Bool {
        guard !isThere(endpoint, work.group) else { return true }
        switch aim(endpoint, work.group) {
        case .blocked: break
        case .bypass:
            guard try endpoint.back.bypassStep() else { return false }
            endpoint.path = .bypassing
        case .domain(let domain):
            let mapper: any HostMapper
            if let walk = work.walk { mapper = walk.mapper } else { mapper = try endpoint.back.mapper(forDomain: domain.id) }
            if !domain.has(mapper) {
                if work.walk == nil, endpoint.back.entersEmptyMappers { try endpoint.back.use(mapper) }
                var walk = work.walk ?? MapperWalk(mapper, IOVA(0)...IOVA(.max))
                // The caller has the mapper emptied when this throws.
                work.walk = walk
                try walk.map(domain.table, joined: domain.areas, &budget, &hostCalls)
                work.walk = walk
                guard walk.isDone else { return false }
                if !endpoint.back.entersEmptyMappers { try endpoint.back.use(mapper) }
            } else {
                try endpoint.back.use(mapper)
            }
            domain.retain(mapper)
            if mapper.joinsNeighbours { joinsRuns = true }
            endpoint.path = .translated(domain, mapper)
            work.walk = nil
        }
        return true
    }
}
