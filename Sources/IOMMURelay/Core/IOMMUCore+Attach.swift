import DeviceMemory

// ATTACH and DETACH. virtio 1.3 §5.13.6.1 and §5.13.6.2; of endpoints that the host cannot keep apart: docs/decisions/0008.

/// A group's endpoints are brought to where the driver wants them, one after the other. Those that have to leave have left.
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
    var index = 0
    /// The domain's table goes into a mapper that is new to it.
    var walk: MapperWalk?
    /// What is answered when all is settled.
    var status = IOMMUStatus.ok
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
    private func leave(_ group: HostGroup) {
        for endpoint in group.endpoints where !endpoint.isBlocked && !isThere(endpoint, group) { endpoint.block() }
    }

    private func route(
        _ group: HostGroup, _ attempt: RouteWork.Attempt?, touched: [UInt32], _ request: IOMMURequest
    ) -> IOMMUProgress {
        leave(group)
        return go(on: RouteWork(group: group, attempt: attempt, touched: touched), request)
    }

    func go(on previous: RouteWork, _ request: IOMMURequest) -> IOMMUProgress {
        var work = previous
        var budget = StepBudget(calls: limits.callsInAStep)
        // Whoever leaves has left, before anybody arrives.
        if !isSettled(work.group), work.walk == nil { return working(.route(work), request) }
        var status = work.status
        while status == .ok, work.index < work.group.endpoints.count {
            let endpoint = work.group.endpoints[work.index]
            do throws(HostMapperError) {
                guard try bring(endpoint, &work, &budget) else { return working(.route(work), request) }
            } catch {
                endpoint.block()
                work.walk?.mapper.unmapAll()
                work.walk = nil
                if work.attempt != nil { status = error.attachStatus }
                note(request, status, "endpoint \(endpoint.id) stays blocked: \(error)")
            }
            work.index += 1
        }
        if status != .ok, let attempt = work.attempt {
            // As the driver sees it nothing changed; but what the endpoints left they do not get back until they are attached again.
            ask(work.group, attempt.id, for: attempt.previous)
            leave(work.group)
        }
        guard isSettled(work.group) else {
            work = RouteWork(group: work.group, attempt: nil, touched: work.touched, index: work.group.endpoints.count, status: status)
            return working(.route(work), request)
        }
        for domain in work.touched { tidy(domain) }
        return .done(status)
    }

    private func isSettled(_ group: HostGroup) -> Bool { group.endpoints.allSatisfy { $0.back.isSettled } }

    /// Whether it has arrived.
    private func bring(_ endpoint: GuestEndpoint, _ work: inout RouteWork, _ budget: inout StepBudget) throws(HostMapperError) -> Bool {
        guard !isThere(endpoint, work.group) else { return true }
        switch aim(endpoint, work.group) {
        case .blocked: break
        case .bypass:
            try endpoint.back.bypass()
            endpoint.path = .bypassing
        case .domain(let domain):
            let mapper: any HostMapper
            if let walk = work.walk { mapper = walk.mapper } else { mapper = try endpoint.back.mapper(forDomain: domain.id) }
            if !domain.has(mapper) {
                var walk = work.walk ?? MapperWalk(mapper, IOVA(0)...IOVA(.max))
                // The caller empties the mapper when this throws.
                work.walk = walk
                try walk.map(domain.table, joined: domain.areas, &budget, &hostCalls)
                work.walk = walk
                guard walk.isDone else { return false }
            }
            try endpoint.back.use(mapper)
            domain.retain(mapper)
            if mapper.joinsNeighbours { joinsRuns = true }
            endpoint.path = .translated(domain, mapper)
            work.walk = nil
        }
        return true
    }
}
