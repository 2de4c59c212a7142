import DeviceMemory

/// A device behind the IOMMU, and where its DMA goes now.
final class GuestEndpoint {
    enum Path {
        case blocked
        case bypassing
        case translated(GuestDomain, any HostMapper)
    }

    let id: UInt32
    /// Other ids that its DMA may carry.
    let aliases: [UInt32]
    let reserved: [ReservedWindow]
    let back: any EndpointBack
    var path = Path.blocked

    init(id: UInt32, aliases: [UInt32], reserved: [ReservedWindow], back: any EndpointBack) {
        self.id = id
        self.aliases = aliases
        self.reserved = reserved
        self.back = back
    }

    var isBlocked: Bool {
        if case .blocked = path { true } else { false }
    }

    /// No DMA gets through, and the domain is left.
    func block() {
        emptied?.unmapAll()
        back.block()
        leave()
    }

    /// What nobody uses when it has left: emptied before, since leaving a full one may take the host as long as all of it does.
    var emptied: (any HostMapper)? {
        if case .translated(let domain, let mapper) = path, domain.hasOneEndpoint(in: mapper) { mapper } else { nil }
    }

    /// Its back is blocked, and what nobody else uses is empty.
    func leave() {
        if case .translated(let domain, let mapper) = path { domain.release(mapper) }
        path = .blocked
    }
}

/// Endpoints that the host cannot keep apart. They are in one domain, or none gets through: docs/decisions/0008.
final class HostGroup {
    /// What the driver asked for.
    enum Wish: Equatable {
        case nothing
        /// All ids that are attached are attached to this domain.
        case domain(UInt32)
        /// Siblings are moved one by one, from one of the two to the other.
        case move(UInt32, UInt32)
    }

    let name: String
    var endpoints: [GuestEndpoint] = []
    /// The domain that the driver attached an id to, of endpoints and aliases.
    private(set) var asked: [UInt32: UInt32] = [:]

    init(name: String) { self.name = name }

    /// All ids, each once.
    var ids: Set<UInt32> { Set(endpoints.flatMap { [$0.id] + $0.aliases }) }
    var reserved: [IOVARange] { endpoints.flatMap { $0.reserved.map(\.range) } }

    var wish: Wish {
        var first: UInt32?
        for domain in asked.values {
            guard let known = first else { first = domain; continue }
            if domain != known { return .move(min(known, domain), max(known, domain)) }
        }
        return first.map { .domain($0) } ?? .nothing
    }

    func setAsked(_ id: UInt32, to domain: UInt32?) { asked[id] = domain }

    func forgetAll() { asked = [:] }

    /// Why an id cannot be attached to a domain: it would be apart from its siblings, with no move under way.
    func objection(to id: UInt32, joining domain: UInt32) -> String? {
        guard let sibling = asked.filter({ $0.key != id && $0.value != domain }).min(by: { $0.key < $1.key }) else { return nil }
        switch wish {
        case .domain where asked[id] == nil:
            return "endpoint \(id) cannot be in domain \(domain): \(sibling.key), of the same host group \(name), is in \(sibling.value)"
        case .move(let one, let other) where domain != one && domain != other:
            return "endpoint \(id) cannot go to domain \(domain): its host group \(name) is on a move between \(one) and \(other)"
        default: return nil
        }
    }
}
