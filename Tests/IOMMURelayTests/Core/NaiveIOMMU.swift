import DeviceMemory

@testable import IOMMURelay

/// The rules written as plainly as possible: pages in dictionaries, no host.
struct NaiveIOMMU {
    struct Domain {
        var isBypass: Bool
        var mappings: [IOVAMapping] = []
    }
    enum Aim: Equatable { case blocked, bypass, domain(UInt32) }

    let domainRange: ClosedRange<UInt32>
    let domainLimit: Int
    let mappingLimit: Int
    let byteLimit: UInt64
    /// Ids of each group; which of them are endpoints; windows of the group.
    var groups: [(ids: [UInt32], endpoints: [UInt32], windows: [IOVARange])] = []
    var asked: [UInt32: UInt32] = [:]
    var domains: [UInt32: Domain] = [:]
    var bypassesUnattached = false

    private func group(_ id: UInt32) -> Int? { groups.firstIndex { $0.ids.contains(id) } }
    private func wishes(_ group: Int) -> Set<UInt32> { Set(groups[group].ids.compactMap { asked[$0] }) }

    func aim(_ endpoint: UInt32) -> Aim {
        guard let group = group(endpoint) else { return .blocked }
        let wishes = wishes(group)
        if wishes.isEmpty { return bypassesUnattached ? .bypass : .blocked }
        guard wishes.count == 1, let domain = asked[endpoint] else { return .blocked }
        return domains[domain]?.isBypass == true ? .bypass : .domain(domain)
    }

    func answer(_ request: IOMMURequest) -> IOMMUStatus {
        switch request {
        case .attach(let id, let domain, let flags): answerAttach(id, domain, flags)
        case .detach(let id, let domain): group(id) == nil ? .noEntry : asked[id] == domain ? .ok : .invalid
        case .map(let domain, let first, let last, let physical, let flags):
            answerMap(domain, first, last, physical.rawValue, flags)
        case .unmap(let domain, let first, let last):
            if let domain = domains[domain] {
                domain.isBypass ? .invalid : first > last ? .range : cut(domain, first, last) ? .range : .ok
            } else {
                .noEntry
            }
        case .probe(let id): group(id) == nil ? .noEntry : .ok
        }
    }

    private func answerAttach(_ id: UInt32, _ domain: UInt32, _ flags: UInt32) -> IOMMUStatus {
        if flags > 1 { return .invalid }
        guard let group = group(id) else { return .noEntry }
        if !domainRange.contains(domain) { return .range }
        if let known = domains[domain] {
            if known.isBypass != (flags == 1) { return .invalid }
            let windows = groups[group].windows
            if known.mappings.contains(where: { mapping in windows.contains { $0.overlaps(mapping.range) } }) { return .unsupported }
        } else if domains.count == domainLimit {
            return .noMemory
        }
        var then = asked
        then[id] = domain
        switch (wishes(group).count, Set(groups[group].ids.compactMap { then[$0] }).count) {
        case (_, 1): return .ok
        case (1, 2): return asked[id] == nil ? .unsupported : .ok
        case (2, 2): return wishes(group).contains(domain) ? .ok : .unsupported
        default: return .unsupported
        }
    }

    private func answerMap(_ id: UInt32, _ first: UInt64, _ last: UInt64, _ physical: UInt64, _ flags: UInt32) -> IOMMUStatus {
        if flags == 0 || flags > 3 { return .invalid }
        guard let domain = domains[id] else { return .noEntry }
        if domain.isBypass { return .invalid }
        if first > last || first % 4096 != 0 || last % 4096 != 4095 || physical % 4096 != 0 || last - first > .max - physical
            || last - first == .max
        {
            return .range
        }
        let windows = groups.indices.filter { wishes($0).contains(id) }.flatMap { groups[$0].windows }
        let taken = domain.mappings.map(\.range) + windows
        if taken.contains(where: { $0.start.rawValue <= last && first <= $0.last }) { return .invalid }
        let all = domains.values.flatMap(\.mappings)
        let bytes = all.reduce(0) { $0 + $1.range.byteCount }
        return all.count >= mappingLimit || last - first >= byteLimit - bytes ? .noMemory : .ok
    }

    private func cut(_ domain: Domain, _ first: UInt64, _ last: UInt64) -> Bool {
        domain.mappings.contains {
            $0.range.start.rawValue <= last && first <= $0.range.last && ($0.range.start.rawValue < first || last < $0.range.last)
        }
    }

    /// A request that was answered with OK.
    mutating func carryOut(_ request: IOMMURequest) {
        switch request {
        case .attach(let id, let domain, let flags):
            if domains[domain] == nil { domains[domain] = Domain(isBypass: flags == 1) }
            asked[id] = domain
        case .detach(let id, _): asked[id] = nil
        case .map(let domain, let first, let last, let physical, let flags):
            guard let range = IOVARange(first: first, last: last) else { return }
            domains[domain]?.mappings.append(IOVAMapping(range: range, physical: physical, access: DMAAccess(rawValue: flags)))
        case .unmap(let domain, let first, let last):
            domains[domain]?.mappings.removeAll { first <= $0.range.start.rawValue && $0.range.last <= last }
        case .probe: break
        }
        let alive = Set(asked.values)
        domains = domains.filter { alive.contains($0.key) }
    }

    mutating func reset() { (asked, domains) = ([:], [:]) }
}
