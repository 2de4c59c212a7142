public import DeviceMemory
public import DeviceModel
import SystemPackage

/// The domain of one connection: what a client maps for its device goes into it, at the client's own addresses. An IOMMU in the
/// client, as QEMU has them, sends each map of its guest so.
///
/// The client's memory lies at IOVAs: a mapping's guest-physical addresses are the IOVAs once more, and the back that is
/// registered for the endpoint looks its memory up by them.
public final class ConnectionDomain: MemoryCarrier {
    private let turns: CoreTurns
    private let endpoint: UInt32
    /// Each has one of its own, by the same number.
    private var domain: UInt32 { endpoint }
    private var isAttached = false
    /// What is left to do of a change; the first one is under way, or waits for its turn.
    private var requests: [IOMMURequest] = []
    private var isUnderWay = false
    /// Of the request under way, when somebody else had to see it to its end.
    private var finished: IOMMUStatus?

    /// - Parameter endpoint: registered with the core of these turns, and with nobody else's.
    public init(endpoint: UInt32, turns: CoreTurns) {
        self.endpoint = endpoint
        self.turns = turns
    }

    public func begin(mapping range: IOVARange, access: DMAAccess) -> MemoryCarriage {
        // The first one makes the domain: without memory the device is blocked.
        requests = isAttached ? [] : [.attach(endpoint: endpoint, domain: domain, flags: 0)]
        requests.append(
            .map(
                domain: domain, first: range.start.rawValue, last: range.last, physical: GuestPhysicalAddress(range.start.rawValue),
                flags: access.rawValue))
        return advance()
    }

    public func begin(unmapping range: ClosedRange<IOVA>) -> MemoryCarriage {
        guard isAttached else { return .done }
        requests = [.unmap(domain: domain, first: range.lowerBound.rawValue, last: range.upperBound.rawValue)]
        return advance()
    }

    public func advance() -> MemoryCarriage {
        while let request = requests.first {
            guard let status = step(request) else { return .working }
            isUnderWay = false
            finished = nil
            requests.removeFirst()
            guard status == .ok else {
                requests = []
                return .refused(status.errno, reason: turns.reason(of: request, status))
            }
            if case .attach = request { isAttached = true }
        }
        return .done
    }

    private func step(_ request: IOMMURequest) -> IOMMUStatus? {
        if let finished { return finished }
        let progress = isUnderWay ? turns.advance(self) : turns.begin(request, self)
        isUnderWay = isUnderWay || progress != nil
        guard case .done(let status, _) = progress else { return nil }
        return status
    }

    func noteEnd(_ status: IOMMUStatus) { finished = status }

    public func clientLeft() {
        turns.settle(abandoning: self)
        if case .attach = requests.first, finished == .ok { isAttached = true }
        requests = []
        isUnderWay = false
        finished = nil
        guard isAttached else { return }
        isAttached = false
        turns.detach(endpoint: endpoint, domain: domain)
    }
}

/// Several connections at one core, which does one thing at a time.
public final class CoreTurns {
    private let core: IOMMUCore
    /// Whose request is under way.
    private var owner: ConnectionDomain?

    public init(_ core: IOMMUCore) { self.core = core }

    /// nil: it is not this one's turn yet.
    func begin(_ request: IOMMURequest, _ domain: ConnectionDomain) -> IOMMUProgress? {
        guard core.isIdle else { return nil }
        return note(core.begin(request), domain)
    }

    func advance(_ domain: ConnectionDomain) -> IOMMUProgress? {
        owner === domain ? note(core.advance(), domain) : nil
    }

    private func note(_ progress: IOMMUProgress, _ domain: ConnectionDomain) -> IOMMUProgress {
        if case .done = progress { owner = nil } else { owner = domain }
        return progress
    }

    /// Nothing is under way when it returns. What a client that left had under way is given up.
    func settle(abandoning left: ConnectionDomain) {
        if owner === left { core.abandon() }
        while let domain = owner {
            guard !core.isIdle else {
                // Given up, at once.
                domain.noteEnd(.ioError)
                return owner = nil
            }
            if case .done(let status, _) = note(core.advance(), domain) { domain.noteEnd(status) }
        }
    }

    func detach(endpoint: UInt32, domain: UInt32) {
        var progress = core.begin(.detach(endpoint: endpoint, domain: domain))
        while case .working = progress { progress = core.advance() }
    }

    func reason(of request: IOMMURequest, _ status: IOMMUStatus) -> String {
        if let last = core.lastRefusals.last, last.request == request { return last.reason }
        return "the IOMMU answered \(status)"
    }
}

extension IOMMUStatus {
    /// What VFIO's callers are told in its place.
    fileprivate var errno: Errno {
        switch self {
        case .noMemory: .noMemory
        case .invalid, .range: .invalidArgument
        case .unsupported: .notSupported
        case .ok, .ioError, .deviceError, .noEntry, .fault: .ioError
        }
    }
}
