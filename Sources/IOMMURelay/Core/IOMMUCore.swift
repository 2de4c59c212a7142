import DeviceMemory

/// The IOMMU itself: which endpoint is in which domain, what is mapped there, and that backs and mappers say the same.
///
/// One thread uses it. A request is carried out in steps, between which other messages can be looked at; nothing of what a
/// guest asks for traps. Backs and mappers are called only from inside of these calls.
public final class IOMMUCore: IOMMURequestHandler {
    public enum RegistrationError: Error, Equatable {
        /// Another endpoint has the id, or one of another host group.
        case idTaken(UInt32)
        /// Reserved windows that overlap, or more than one for interrupts.
        case windows(endpoint: UInt32)
    }

    public let configuration: IOMMUConfiguration
    public let limits: RelayLimits
    public var bypassesUnattached: Bool {
        didSet { if bypassesUnattached != oldValue { groups.values.forEach(routeUnattached) } }
    }

    var groups: [String: HostGroup] = [:]
    /// Of endpoints and of aliases.
    var groupOfID: [UInt32: HostGroup] = [:]
    var domains: [UInt32: GuestDomain] = [:] {
        didSet { recentDomain = nil }
    }
    /// The one that was asked for last: drivers map and unmap in one domain for long.
    private var recentDomain: GuestDomain?
    var mappingCount = 0
    var mappedByteCount: UInt64 = 0
    var job: Job?
    /// Inside of how many calls it is: a host that takes long for one may let others have their turns meanwhile.
    var callDepth = 0
    /// UNMAPs that were answered before they were carried out; nil: there are none.
    let lazyUnmap: LazyUnmap?
    var late = LateUnmaps()
    /// What is under way is so many requests of a kind together.
    var run: (kind: RelayStatistics.Kind, requests: [IOMMURequest])?
    public internal(set) var joinsRuns = false
    var hostCalls = HostCalls()
    /// Pieces of merged areas of which only a part was unmapped.
    var splits: UInt64 = 0
    /// Endpoints that were blocked since a host did not map such a rest again.
    var losses: UInt64 = 0
    private var counts = RelayStatistics()
    private var faults: FaultRing
    /// Without one nothing is measured.
    public var clock: (() -> UInt64)?
    public weak var observer: (any IOMMUObserver)?
    private var begunAt: UInt64 = 0
    private var lastFaults: [SeenFault] = []
    /// The newest last.
    public private(set) var lastRefusals: [IOMMURefusal] = []

    /// What is under way, with the request that asked for it.
    struct Job {
        enum Work {
            case map(MapWork)
            case unmap(UnmapWork)
            case route(RouteWork)
            /// What was put off comes first.
            case late(then: [IOMMURequest])
        }
        let request: IOMMURequest
        var work: Work
    }

    /// - Parameter bypassesUnattached: whether endpoints work before a driver of the IOMMU is there (a guest's firmware), at the
    ///   price that they reach all of the guest's memory.
    /// - Parameter lazyUnmap: nil: what is unmapped cannot be reached any more when the guest hears of it.
    public init(
        configuration: IOMMUConfiguration = IOMMUConfiguration(), limits: RelayLimits = RelayLimits(), bypassesUnattached: Bool = false,
        lazyUnmap: LazyUnmap? = nil
    ) {
        precondition(configuration.pageSizeMask != 0, "no page size")
        self.configuration = configuration
        self.limits = limits
        self.lazyUnmap = lazyUnmap
        self.bypassesUnattached = bypassesUnattached
        faults = FaultRing(limit: limits.faults)
    }
}

// MARK: Requests

extension IOMMUCore {
    public func begin(_ request: IOMMURequest) -> IOMMUProgress {
        precondition(isIdle, "a request before the one under way is done")
        callDepth += 1
        defer { callDepth -= 1 }
        noteBeginning()
        guard !late.isEmpty, mustSettle(before: request) else { return counted(start(request), request) }
        return settle(then: [request])
    }

    /// nil: no endpoint is attached to it.
    func domain(_ id: UInt32) -> GuestDomain? {
        if let recentDomain, recentDomain.id == id { return recentDomain }
        recentDomain = domains[id]
        return recentDomain
    }

    func start(_ request: IOMMURequest) -> IOMMUProgress {
        switch request {
        case .attach(let endpoint, let domain, let flags): attach(endpoint, domain, flags, request)
        case .detach(let endpoint, let domain): detach(endpoint, domain, request)
        case .map(let domain, let first, let last, let physical, let flags):
            map(domain, first: first, last: last, physical, flags, request)
        case .unmap(let domain, let first, let last): unmap(domain, first: first, last: last, request)
        case .probe(let endpoint): probe(endpoint)
        }
    }

    public func advance() -> IOMMUProgress {
        guard let job else { preconditionFailure("no request is under way") }
        callDepth += 1
        defer { callDepth -= 1 }
        self.job = nil
        let progress =
            switch job.work {
            case .map(let work): go(on: work, job.request)
            case .unmap(let work): go(on: work, job.request)
            case .route(let work): go(on: work, job.request)
            case .late(let requests): settle(then: requests)
            }
        if case .late = job.work { return progress }
        return counted(progress, job.request)
    }

    func counted(_ progress: IOMMUProgress, _ request: IOMMURequest) -> IOMMUProgress {
        guard case .done(let status, _) = progress else { return progress }
        let requests = run?.requests
        if let run {
            self.run = nil
            // A run that failed never was: its requests are begun one by one, and count then.
            guard status == .ok else { return progress }
            counts.count(run.kind, together: run.requests.count)
        } else {
            counts.count(request.kind, status)
        }
        guard let clock else { return progress }
        let time = clock() &- begunAt
        counts.latency.record(time, times: UInt64(requests?.count ?? 1))
        if let observer { tell(observer, requests ?? [request], status, time) }
        return progress
    }

    func noteBeginning() { if let clock { begunAt = clock() } }

    private func tell(_ observer: any IOMMUObserver, _ requests: [IOMMURequest], _ status: IOMMUStatus, _ nanoseconds: UInt64) {
        switch requests[0] {
        case .attach(let endpoint, let domain, _): observer.moved(endpoint: endpoint, domain: domain, status)
        case .detach(let endpoint, _): observer.moved(endpoint: endpoint, domain: nil, status)
        case .map, .unmap, .probe: break
        }
        guard observer.wantsRequests else { return }
        for request in requests { observer.answered(request, status, nanoseconds: nanoseconds) }
    }

    /// Puts what is under way aside until the next step.
    func working(_ work: Job.Work, _ request: IOMMURequest) -> IOMMUProgress {
        job = Job(request: request, work: work)
        return .working
    }

    /// Keeps the reason for a person who looks in.
    func note(_ request: IOMMURequest?, _ status: IOMMUStatus, _ reason: String) {
        if lastRefusals.count >= limits.refusals, !lastRefusals.isEmpty { lastRefusals.removeFirst() }
        let refusal = IOMMURefusal(request: request, status: status, reason: reason)
        if limits.refusals > 0 { lastRefusals.append(refusal) }
        observer?.refused(refusal)
    }

    public func reset() {
        callDepth += 1
        defer { callDepth -= 1 }
        if case .route(let work) = job?.work {
            work.walk?.mapper.unmapAll()
            work.emptying?.unmapAll()
        }
        job = nil
        run = nil
        late = LateUnmaps()
        joinsRuns = false
        for group in groups.values {
            group.forgetAll()
            // Before any of them bypasses: none does while a sibling is in a domain.
            for endpoint in group.endpoints { endpoint.block() }
        }
        // The driver takes the memory back when it sees the reset.
        for endpoint in groups.values.flatMap(\.endpoints) { endpoint.back.settle() }
        precondition(domains.values.allSatisfy { $0.mappers.isEmpty })
        domains = [:]
        mappingCount = 0
        mappedByteCount = 0
        faults.removeAll()
        counts.resets &+= 1
        observer?.wasReset()
        groups.values.forEach(routeUnattached)
    }

    private func probe(_ id: UInt32) -> IOMMUProgress {
        guard let group = groupOfID[id] else { return .done(.noEntry) }
        let endpoint = group.endpoints.first { $0.id == id } ?? group.endpoints.first { $0.aliases.contains(id) }
        var properties = endpoint?.reserved.flatMap(\.property) ?? []
        guard let room = Int(exactly: configuration.probeByteCount), properties.count <= room else { return .done(.invalid) }
        properties += [UInt8](repeating: 0, count: room - properties.count)
        return .done(.ok, properties: properties)
    }
}

// MARK: Endpoints

extension IOMMUCore {
    /// - Parameters:
    ///   - aliases: further ids that the endpoint's DMA may carry, as behind a conventional PCI bridge; siblings may share them.
    ///   - group: the host's group; endpoints of one are kept in one domain.
    public func add(
        endpoint id: UInt32, aliases: [UInt32] = [], group name: String, reserved: [ReservedWindow] = [], back: any EndpointBack
    ) throws(RegistrationError) {
        precondition(job == nil, "endpoints come between requests")
        for taken in [id] + aliases {
            if let other = groupOfID[taken], other.name != name { throw .idTaken(taken) }
        }
        if groups[name]?.endpoints.contains(where: { $0.id == id }) == true { throw .idTaken(id) }
        let sorted = reserved.map(\.range).sorted { $0.start < $1.start }
        guard zip(sorted, sorted.dropFirst()).allSatisfy({ !$0.overlaps($1) }), reserved.count(where: { $0.kind == .msi }) <= 1 else {
            throw .windows(endpoint: id)
        }
        let group = groups[name] ?? HostGroup(name: name)
        let endpoint = GuestEndpoint(id: id, aliases: aliases, reserved: reserved, back: back)
        groups[name] = group
        group.endpoints.append(endpoint)
        for id in [id] + aliases { groupOfID[id] = group }
        endpoint.block()
        for domain in Set(group.asked.values) { refreshReserved(domain) }
        routeUnattached(group)
    }

    /// The endpoint is unplugged: it is attached to nothing, blocked, and unknown from now on. Siblings whose move it ends stay
    /// blocked until the driver attaches one of them again.
    public func remove(endpoint id: UInt32) {
        precondition(isIdle, "endpoints go between requests")
        callDepth += 1
        defer { callDepth -= 1 }
        settleAll()
        guard let group = groupOfID[id], let index = group.endpoints.firstIndex(where: { $0.id == id }) else { return }
        let endpoint = group.endpoints.remove(at: index)
        endpoint.block()
        endpoint.back.settle()
        let gone = ([id] + Array(group.asked.keys)).filter { !group.ids.contains($0) }
        let left = Set(gone.compactMap { group.asked[$0] })
        for id in gone { ask(group, id, for: nil) }
        groupOfID = groupOfID.filter { $0.value !== group || group.ids.contains($0.key) }
        if group.endpoints.isEmpty { groups[group.name] = nil }
        for domain in left { tidy(domain) }
        routeUnattached(group)
    }

    /// What carried an endpoint's mappings out is gone: nothing gets through it any more, the driver hears of it as of a fault,
    /// and whoever looks in as of a loss.
    public func lose(endpoint id: UInt32, _ reason: String) {
        precondition(isIdle, "endpoints are lost between requests")
        guard let endpoint = groupOfID[id]?.endpoints.first(where: { $0.id == id }) else { return }
        endpoint.block()
        losses &+= 1
        note(nil, .deviceError, "endpoint \(id) is blocked: \(reason)")
        report(IOMMUFault(reason: .unknown, endpoint: id, address: IOVA(0), access: .readWrite))
    }

    /// Endpoints of a group that the driver attached to nothing.
    private func routeUnattached(_ group: HostGroup) {
        guard group.wish == .nothing else { return }
        for endpoint in group.endpoints {
            if bypassesUnattached, endpoint.isBlocked {
                do throws(HostMapperError) {
                    try endpoint.back.bypass()
                    endpoint.path = .bypassing
                } catch {
                    endpoint.block()
                    note(nil, .deviceError, "endpoint \(endpoint.id) stays blocked, not bypassed: \(error)")
                }
            } else if !bypassesUnattached, !endpoint.isBlocked {
                endpoint.block()
            }
        }
    }
}

// MARK: Looking in

extension IOMMUCore {
    /// An access of an endpoint was refused: the driver is told when it takes ``takeFault()``.
    public func report(_ fault: IOMMUFault) {
        counts.count(fault.reason)
        faults.append(fault)
        if lastFaults.count >= limits.refusals, !lastFaults.isEmpty { lastFaults.removeFirst() }
        if limits.refusals > 0 { lastFaults.append(SeenFault(fault: fault, nanoseconds: clock?() ?? 0)) }
        observer?.faulted(fault)
    }

    /// No request is under way, nor is anything else: tables and mappers say the same.
    public var isIdle: Bool { job == nil && callDepth == 0 }

    public func takeFault() -> IOMMUFault? { faults.takeFirst() }

    public func batchEnded() { if let observer, observer.wantsRequests { observer.batchEnded() } }

    public var statistics: RelayStatistics {
        var result = counts
        result.domains = domains.count
        result.mappings = mappingCount
        result.mappedBytes = mappedByteCount
        result.tableBytes = domains.values.reduce(0) { $0 + $1.table.memoryByteCount }
        result.hostMapCalls = hostCalls.maps
        result.hostUnmapCalls = hostCalls.unmaps
        result.splits = splits
        result.losses = losses
        result.lateMappings = late.count
        result.lastFaults = lastFaults
        result.lateBytes = late.byteCount
        result.faultsDropped = faults.dropped
        result.endpoints = groups.values
            .flatMap { group in group.endpoints.map { .init(id: $0.id, group: group.name, state: state(of: $0, in: group)) } }
            .sorted { $0.id < $1.id }
        return result
    }

    private func state(of endpoint: GuestEndpoint, in group: HostGroup) -> RelayStatistics.EndpointState {
        switch endpoint.path {
        case .bypassing: .bypassing
        case .translated(let domain, _): .attached(domain: domain.id)
        case .blocked:
            switch group.wish {
            case .move: .moving
            case .domain: group.asked[endpoint.id] == nil ? .blocked : .failed
            case .nothing: bypassesUnattached ? .failed : .blocked
            }
        }
    }
}
