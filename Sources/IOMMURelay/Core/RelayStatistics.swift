import DeviceMemory

/// What an IOMMU has done and holds.
public struct RelayStatistics: Equatable, Sendable {
    /// Kinds of requests, in the order of their numbers. VIRTIO_IOMMU_T_*, virtio 1.3 §5.13.6.
    public enum Kind: Int, Sendable, CaseIterable { case attach, detach, map, unmap, probe }

    public enum EndpointState: Equatable, Sendable {
        /// Attached to nothing: nothing gets through.
        case blocked
        /// It reaches guest memory by its own addresses.
        case bypassing
        case attached(domain: UInt32)
        /// Nothing gets through until its host group is in one domain.
        case moving
        /// Nothing gets through, since the host failed to carry its domain out.
        case failed
    }

    public struct Endpoint: Equatable, Sendable {
        public var id: UInt32
        public var group: String
        public var state: EndpointState
    }

    private var answers = [UInt64](repeating: 0, count: Kind.allCases.count * IOMMUStatus.allCases.count)
    public internal(set) var domains = 0
    public internal(set) var mappings = 0
    public internal(set) var mappedBytes: UInt64 = 0
    /// What the tables take of this process's memory.
    public internal(set) var tableBytes = 0
    public internal(set) var endpoints: [Endpoint] = []
    /// Calls of ``HostMapper/map(_:)``, failed ones too, and of ``HostMapper/unmap(_:)``.
    public internal(set) var hostMapCalls: UInt64 = 0
    public internal(set) var hostUnmapCalls: UInt64 = 0
    /// Mappings that reached the hosts as a part of the one before them.
    public internal(set) var merges: UInt64 = 0
    /// UNMAPs that were carried out with the one before them.
    public internal(set) var mergedUnmaps: UInt64 = 0
    /// Times that a part of a merged piece was unmapped: the whole went, and the rest was mapped again.
    public internal(set) var splits: UInt64 = 0
    /// Endpoints that were blocked since the host failed in that.
    public internal(set) var losses: UInt64 = 0
    /// Of UNMAPs that were answered, but are not carried out yet.
    public internal(set) var lateMappings = 0
    public internal(set) var lateBytes: UInt64 = 0
    /// By ``IOMMUFault/Reason``.
    private var faultCounts: [UInt64] = [0, 0, 0]
    /// The newest last; also those that the driver took.
    public internal(set) var lastFaults: [SeenFault] = []
    /// Empty when the core has no clock.
    public internal(set) var latency = LatencyHistogram()
    public internal(set) var faultsDropped: UInt64 = 0
    public internal(set) var resets: UInt64 = 0

    public init() {}

    public func answers(_ kind: Kind, _ status: IOMMUStatus) -> UInt64 { answers[index(kind, status)] }
    /// MAP and UNMAP requests that were carried out.
    public var carriedOut: UInt64 { answers(.map, .ok) &+ answers(.unmap, .ok) }
    public func faults(_ reason: IOMMUFault.Reason) -> UInt64 { faultCounts[Int(reason.rawValue)] }

    mutating func count(_ kind: Kind, _ status: IOMMUStatus) { answers[index(kind, status)] &+= 1 }
    mutating func count(_ kind: Kind, together count: Int) {
        answers[index(kind, .ok)] &+= UInt64(count)
        if kind == .map { merges &+= UInt64(count - 1) } else { mergedUnmaps &+= UInt64(count - 1) }
    }
    mutating func count(_ reason: IOMMUFault.Reason) { faultCounts[Int(reason.rawValue)] &+= 1 }

    private func index(_ kind: Kind, _ status: IOMMUStatus) -> Int { kind.rawValue * IOMMUStatus.allCases.count + Int(status.rawValue) }
}

extension IOMMURequest {
    var kind: RelayStatistics.Kind {
        switch self {
        case .attach: .attach
        case .detach: .detach
        case .map: .map
        case .unmap: .unmap
        case .probe: .probe
        }
    }
}

/// What a person should know of a request: why it was refused, or what went wrong beside it.
public struct IOMMURefusal: Equatable, Sendable {
    /// nil: the driver changed whether unattached endpoints bypass, or an unmap came late.
    public var request: IOMMURequest?
    /// What the driver was told.
    public var status: IOMMUStatus
    public var reason: String
}
