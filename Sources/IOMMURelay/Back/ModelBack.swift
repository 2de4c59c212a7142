public import DeviceMemory

/// Who knows the mappings of the domain that an endpoint is in.
public protocol MappingSource: AnyObject {
    /// Shows them all, in any order.
    func visitMappings(ofEndpoint endpoint: UInt32, _ body: (IOVAMapping) -> Void)
}

/// A device model of this process as an endpoint: its DMA space is the guest's memory as a domain shows it.
///
/// All of it belongs to the models' thread. A model is never in the middle of a transfer then, so that what is unmapped here
/// is out of its reach when the call returns.
public final class ModelBack: EndpointBack, HostMapper {
    private enum Route { case blocked, bypass, translated }

    private let endpoint: UInt32
    /// What the model sees.
    private let space: DMASpace
    /// The guest's memory by its own addresses.
    private let guest: DMASpace
    /// Outlives its backs. Not weak, as ``DMASpace/faultObserver`` is not.
    private unowned let source: any MappingSource
    private var route = Route.blocked
    /// Told of each access that was refused.
    public var faulted: ((IOMMUFault) -> Void)?

    public init(endpoint: UInt32, space: DMASpace, guest: DMASpace, source: any MappingSource) {
        self.endpoint = endpoint
        self.space = space
        self.guest = guest
        self.source = source
        space.faultObserver = self
    }

    deinit { space.faultObserver = nil }

    /// Only bookkeeping: no piece takes long.
    public var maximumPieceByteCount: UInt64 { 1 << 63 }
    public var joinsNeighbours: Bool { false }

    public func mapper(forDomain domain: UInt32) -> any HostMapper { self }

    public func use(_ mapper: any HostMapper) { route = .translated }

    public func bypass() throws(HostMapperError) {
        space.unmapAll()
        route = .bypass
        try showGuest()
    }

    public func block() {
        space.unmapAll()
        route = .blocked
    }

    // MARK: Mappings

    /// Parts of the mapping that are no memory of the guest stay out of the model's reach.
    public func map(_ piece: IOVAMapping) throws(HostMapperError) {
        guard let behind = IOVARange(start: IOVA(piece.physical.rawValue), byteCount: piece.range.byteCount) else {
            throw .notMappable("guest-physical addresses from \(piece.physical) on do not reach so far")
        }
        if let whole = guest.onlyPiece(of: behind) {
            return try show(piece.range, whole.window, whole.access.intersection(piece.access))
        }
        for part in guest.pieces(of: behind) {
            let offset = part.range.start.rawValue &- piece.physical.rawValue
            guard let start = piece.range.start.advanced(by: offset),
                let range = IOVARange(start: start, byteCount: part.range.byteCount)
            else { continue }
            try show(range, part.window, part.access.intersection(piece.access))
        }
    }

    private func show(_ range: IOVARange, _ window: MemoryWindow, _ access: DMAAccess) throws(HostMapperError) {
        do throws(DMASpace.MapError) {
            try space.map(range, to: window, access: access)
        } catch {
            switch error {
            case .tooMany(let limit): throw .noMemory("the model of endpoint \(endpoint) has \(limit) mappings")
            case .overlaps, .sizeMismatch: throw .failed("\(range) of endpoint \(endpoint): \(error)")
            }
        }
    }

    /// A mapping's parts lie inside of it, so that none is cut.
    public func unmap(_ range: IOVARange) { space.unmapEntries(startingIn: range) }

    public func unmapAll() { space.unmapAll() }

    // MARK: The guest's memory

    private func showGuest() throws(HostMapperError) {
        guard let everything = IOVARange(first: 0, last: .max - 1) else { return }
        for part in guest.pieces(of: everything) { try show(part.range, part.window, part.access) }
    }

    /// The guest's memory became another (it rebooted, memory was plugged): what the model sees is made anew.
    public func guestMemoryChanged() {
        switch route {
        case .blocked: break
        case .bypass:
            space.unmapAll()
            try? showGuest()
        case .translated:
            space.unmapAll()
            source.visitMappings(ofEndpoint: endpoint) { mapping in try? map(mapping) }
        }
    }
}

extension ModelBack: DMAFaultObserver {
    public func dmaFaulted(at iova: IOVA, access: DMAAccess) {
        let reason: IOMMUFault.Reason = route == .translated ? .mapping : .domain
        faulted?(IOMMUFault(reason: reason, endpoint: endpoint, address: iova, access: access))
    }
}
