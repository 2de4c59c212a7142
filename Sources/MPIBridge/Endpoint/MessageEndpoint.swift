import DeviceMemory
public import NicDriver

/// Messages over one queue pair: matching, eager and rendezvous transfer, remote memory, and the reliable frames below
/// them. No thread and no clock of its own: whoever owns it calls ``progress(now:)`` and says what time it is. One thread at
/// a time.
///
/// Nothing is allocated after init but peers (``peer(for:)``) and blocks for unexpected messages, which are kept and used again.
public struct MessageEndpoint: ~Copyable {
    public let address: EndpointAddress
    public internal(set) var options: TransportOptions
    /// Bytes of the longest message that may be injected.
    public let injectLimit: Int
    public internal(set) var counters = TransportCounters()

    // The port.
    let queuePair: any QueuePair
    let pool: PacketPoolReference
    var incoming: PacketBatch
    var outgoing: PacketBatch
    /// Frames to this endpoint itself, which no wire brings back: the next ``progress(now:)`` takes them, out of the other batch.
    var returning: PacketBatch
    var returned: PacketBatch
    /// Bytes of the longest frame.
    let frameByteCount: Int
    /// Packets that are left to acknowledgements, and to frames that come early.
    let packetReserve: Int
    let earlyReserve: Int

    /// See ``declarePortDead()``.
    var portHasFailed = false

    // Peers.
    var peers: Slab<Peer>
    var peerTable: PeerTable
    /// First and last of the peers with something to do at once.
    var attention = LinkedQueue()
    /// Peers with something to do later.
    var timed: [UInt32] = []
    var nextTimer: UInt64 = .max
    var keepAliveAt: UInt64
    var knowsWhoAnswersAlone = false
    /// The router's address, once it has answered, and when it is asked.
    var routerMAC: MACAddress?
    var askRouterAt: UInt64 = .max
    var routerAskedSince: UInt64 = .max

    // Operations.
    var sends: Slab<SendOperation>
    var receives: Slab<ReceiveOperation>
    var controls: Slab<ControlFrame>
    var slots: FrameSlots
    var generation: UInt32 = 0
    var completions: CompletionRing
    var regions = RegionTable()

    // Matching, by space.
    var waiting = (untagged: LinkedQueue(), tagged: LinkedQueue())
    var unexpectedLists = (untagged: LinkedQueue(), tagged: LinkedQueue())
    var unexpected: Slab<UnexpectedMessage>
    var unexpectedByteCount = 0
    /// Messages that peers may still send by what they were granted: each has its place among the unexpected ones.
    var promisedMessages = 0
    /// Peers' writes that are coming in.
    var openWrites = 0
    var blocks = BlockCache()

    /// Parts of receives for several messages that may be under way.
    private static let partCapacity = 4096

    /// - Parameters:
    ///   - port: its first queue pair is the endpoint's alone from now on, and the caller keeps the port alive.
    ///   - address: of this endpoint; its Ethernet address is the port's.
    ///   - now: nanoseconds of the clock that all calls use.
    public init(port: any Port, address: EndpointAddress, options: TransportOptions, now: UInt64) {
        self.address = address
        self.options = options
        keepAliveAt = now &+ min(options.peerTimeout, options.answersAlone ? options.answerTimeout : .max) / 8
        queuePair = port.queuePairs[0]
        pool = queuePair.pool
        // So few that the first frames' acknowledgements go out while the last ones are copied.
        incoming = queuePair.makeBatch(capacity: 16)
        outgoing = queuePair.makeBatch(capacity: 128)
        returning = queuePair.makeBatch(capacity: 128)
        returned = queuePair.makeBatch(capacity: 128)
        frameByteCount = port.maximumFrameByteCount
        injectLimit = min(options.eagerLimit, frameByteCount - FrameKind.message.headerByteCount)
        packetReserve = pool.freeCount / 16
        earlyReserve = pool.freeCount / 4
        peers = Slab(capacity: options.peerCapacity)
        peerTable = PeerTable(capacity: options.peerCapacity)
        // Beside the application's: what peers may ask for. Memory that nobody asks for is never touched.
        let requests = options.peerCapacity * Int(options.requestCredit)
        sends = Slab(capacity: options.sendCapacity + requests)
        receives = Slab(capacity: options.receiveCapacity + Self.partCapacity + requests)
        controls = Slab(capacity: sends.capacity + receives.capacity + requests)
        slots = FrameSlots(count: options.retainedFrames, frameByteCount: frameByteCount)
        unexpected = Slab(capacity: options.unexpectedCapacity + options.peerCapacity * Int(options.messageCredit))
        completions = CompletionRing(
            capacity: 2 * (2 * options.sendCapacity + options.receiveCapacity + Self.partCapacity + requests))
    }

    deinit {
        for peer in 0..<UInt32(peers.touched) {
            Self.dropEarlyFrames(of: &peers[peer], pool: pool)
            peers[peer].window.free()
        }
    }

    /// The peer with this address; a new one if there is none. nil: there is room for no more.
    public mutating func peer(for address: EndpointAddress, now: UInt64) -> PeerID? {
        if let index = peerTable.find(address.key) { return PeerID(index: index) }
        let nextHop = isBehindRouter(address) ? routerMAC : address.mac
        guard peers.freeCount > 0,
            let index = peers.take(Peer(address: address, local: self.address, nextHop: nextHop, options: options, now: now))
        else { return nil }
        if nextHop == nil { askRouterAt = min(askRouterAt, now) }
        peerTable.insert(address.key, index)
        promisedMessages &+= Int(options.messageCredit)
        if portHasFailed { fail(index, because: .portFailed) }
        return PeerID(index: index)
    }

    /// ``TransportOptions/minimumMultiReceive`` from now on.
    public mutating func setMinimumMultiReceive(_ byteCount: Int) { options.minimumMultiReceive = byteCount }

    /// The caller's own number for a peer.
    public mutating func setCookie(_ cookie: UInt64, of peer: PeerID) {
        if peers.isInUse(peer.index) { peers[peer.index].cookie = cookie }
    }
    /// nil: none was set.
    public func cookie(of peer: PeerID) -> UInt64? {
        guard peers.isInUse(peer.index), peers[peer.index].cookie != .max else { return nil }
        return peers[peer.index].cookie
    }
    public func address(of peer: PeerID) -> EndpointAddress? {
        peers.isInUse(peer.index) ? peers[peer.index].address : nil
    }

    /// The oldest completion that nobody has taken.
    @inline(__always) public mutating func takeCompletion() -> Completion? { completions.removeFirst() }
    public var completionCount: Int { completions.count }

    /// Whether a receive for several messages may have one more part: the places of peers' writes are not for that.
    var hasPartRoom: Bool { receives.count &- openWrites < options.receiveCapacity + Self.partCapacity }

    /// Whether one more operation may be posted: each has a place for its completion.
    var hasCompletionRoom: Bool { completions.capacity &- completions.count &- sends.count &- receives.count > 0 }

    /// Whether nothing waits to be sent, acknowledged or answered.
    public var isQuiet: Bool {
        guard sends.count == 0, controls.count == 0, outgoing.isEmpty, returning.isEmpty else { return false }
        for peer in 0..<UInt32(peers.touched) where !peers[peer].hasFailed && peers[peer].inFlight > 0 { return false }
        return true
    }

    /// When ``progress(now:)`` has to be called at the latest, if nothing arrives.
    public var nextDeadline: UInt64 {
        if attention.first != .max || !outgoing.isEmpty || !returning.isEmpty { return 0 }
        return min(nextTimer, keepAliveAt, askRouterAt)
    }

    mutating func nextGeneration() -> UInt32 {
        generation = (generation &+ 1) & 0x7fff_ffff
        return generation
    }

    /// Has a peer looked at before ``progress(now:)`` returns, or in the next call.
    mutating func callAttention(_ peer: UInt32) {
        guard !peers[peer].needsAttention else { return }
        peers[peer].needsAttention = true
        peers[peer].nextAttention = .max
        if attention.isEmpty { attention.first = peer } else { peers[attention.last].nextAttention = peer }
        attention.last = peer
    }
}
