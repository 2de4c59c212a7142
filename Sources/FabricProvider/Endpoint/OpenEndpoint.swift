import CLibfabric
import LinuxIO
import MPIBridge
import NicDriver

/// An endpoint (fi_endpoint(3)), FI_EP_RDM or FI_EP_DGRAM: a port, and messages over it.
@safe struct OpenEndpoint: FabricState, ~Copyable {
    static let objectClass = Int(FI_CLASS_EP)
    var view: fid_ep
    let domain: FabricObject<OpenDomain>
    let lock: DomainLock?
    let isDatagram: Bool
    /// From the time on when it is enabled; or with FI_EP_DGRAM the other.
    var transport: MessageEndpoint?
    var datagrams: DatagramEndpoint?
    /// Of either.
    var address: EndpointAddress?
    var peers = PeerMap()
    var defaults = OperationDefaults()
    /// Receives look at the sender only if this was asked for (FI_DIRECTED_RECV).
    let directsReceives: Bool
    /// Counters count what peers do here (FI_RMA_EVENT).
    let reportsAccesses: Bool
    var transmitQueue: FabricObject<CompletionQueue>?
    var receiveQueue: FabricObject<CompletionQueue>?
    var counters = EndpointCounters()
    var addressVector: FabricObject<AddressVector>?
    var settings: EndpointSettings
    var port: (any Port)?
    var neighbours: LocalNeighbours?
    /// Whether peers are all of this machine.
    var watchesNeighbours = false
    /// When ``lookAround(now:)`` is due; never, once there is nothing to see any more.
    var lookAroundAt = UInt64.max
    /// The process that opened the port: a child of it has the port's memory, and must leave the device alone.
    var owner: Int32 = 0
    /// Those who may sleep until there is something to do here (``Waiter``).
    var waiters: UInt32 = 0
    /// Sends that are over when the peer has them.
    var awaited = AwaitedAcknowledgements()
}

/// What an endpoint is told before it is enabled.
struct EndpointSettings: Equatable, Sendable {
    var transmitFlags: UInt64
    var receiveFlags: UInt64
    var isTransmitSelective = false
    var isReceiveSelective = false
    var minimumMultiReceive = TransportOptions().minimumMultiReceive
}

/// Options of the calls that have no flags of their own.
struct OperationDefaults: Equatable, BitwiseCopyable {
    var send: OperationOptions = []
    var inject: OperationOptions = []
    var receive: OperationOptions = []
    var access: OperationOptions = []
    var accessInject: OperationOptions = []
}

/// Driving. A function of the object: completions go to other objects, which may look at this one.
extension FabricObject where State == OpenEndpoint {
    /// Returns whether frames came in.
    @discardableResult @inline(__always) func progress(now: UInt64) -> Bool {
        let received = state.transport?.progress(now: now) ?? state.datagrams?.progress() ?? false
        if now >= state.lookAroundAt { state.lookAround(now: now) }
        deliverCompletions()
        return received
    }

    /// The application has begun something that a sleeper does not know of: its timer may be too late.
    func wakeWaiters() {
        state.transmitQueue?.state.waiter?.notify()
        state.receiveQueue?.state.waiter?.notify()
        state.domain.state.thread?.notify()
    }

    /// Hands what has ended to completion queues and counters, as far as there is room: the rest waits.
    func deliverCompletions() {
        let transmit = state.transmitQueue, receive = state.receiveQueue
        while (transmit?.state.ring.room ?? 1) > 0, (receive?.state.ring.room ?? 1) > 0,
            let completion = takeCompletion()
        {
            state.counters.count(completion)
            guard !completion.options.contains(.silent) || completion.error != nil else { continue }
            let source = completion.kind == .send ? nil : state.cookie(of: completion.peer)
            let record = CompletionRecord(completion, source: source ?? .max)
            switch completion.kind {
            case .send, .read, .write, .fetch, .update: transmit?.state.append(record)
            case .receive, .peek: receive?.state.append(record)
            case .remoteWrite:
                state.domain.state.regions[completion.tag]?.state.writeCounter?.count(failed: false)
                if completion.carriesData { receive?.state.append(record) }
            case .remoteRead: break
            }
        }
    }
}

extension OpenEndpoint {
    /// When it has to be driven at the latest, if nothing arrives.
    var nextDeadline: UInt64 {
        switch transport {
        case .some(let transport): min(transport.nextDeadline, lookAroundAt)
        case nil: lookAroundAt
        }
    }
    func armReceive() -> ReceiveArming { port?.queuePairs[0].armReceive() ?? .cannot }
    func disarmReceive() { port?.queuePairs[0].disarmReceive() }

    var isEnabled: Bool { transport != nil || datagrams != nil }
    @inline(__always) func cookie(of peer: PeerID) -> UInt64? {
        if let cookie = transport?.cookie(of: peer) { return cookie }
        return datagrams?.cookie(of: peer)
    }

    private mutating func setCookie(_ cookie: UInt64, of peer: PeerID) {
        transport?.setCookie(cookie, of: peer)
        datagrams?.setCookie(cookie, of: peer)
    }

    /// A peer's address has a number now. False: there is no place for one more peer.
    mutating func learn(_ address: EndpointAddress, number: UInt64) -> Bool {
        let now = MonotonicClock.nanoseconds()
        guard let peer = transport?.peer(for: address, now: now) ?? datagrams?.peer(for: address) else { return false }
        peers.set(number, to: peer)
        // An address that was inserted twice keeps its first number.
        if cookie(of: peer) == nil { setCookie(number, of: peer) }
        return true
    }

    mutating func forget(_ address: EndpointAddress, number: UInt64) {
        if let peer = peers[number], cookie(of: peer) == number { setCookie(.max, of: peer) }
        peers.set(number, to: nil)
    }

    /// False: there is no room.
    mutating func register(_ region: FabricObject<MemoryRegion>) -> Bool {
        let (address, byteCount, key, access) = (region.state.address, region.state.byteCount, region.state.key, region.state.access)
        // SAFETY: the application lends the memory until it closes the region (fi_mr(3)), which unregisters it.
        return unsafe transport?.register(address: address, byteCount: byteCount, key: key, access: access) ?? true
    }

    mutating func unregister(_ region: FabricObject<MemoryRegion>) { _ = transport?.unregister(key: region.state.key) }
}
