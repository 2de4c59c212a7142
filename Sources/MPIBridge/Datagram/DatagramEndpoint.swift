import DeviceMemory
public import NicDriver

/// Datagrams over one queue pair, unreliable and unordered as the wire is: what is lost is lost, and a message is one frame.
/// For those who bring their own reliability. No thread and no clock of its own, as ``MessageEndpoint``.
///
/// The frame begins as those of ``FrameLayout`` do; its kind is none of theirs:
///
///     byte 42     version 1
///     byte 43     64
///     byte 44–45  flags: bit 2, data goes along
///     byte 46–47  zero
///     byte 48–55  key of the endpoint that it is for
///     byte 56–63  key of the sender
///     byte 64–71  data
///     byte 72–79  zero
///     byte 80–    the message
public struct DatagramEndpoint: ~Copyable {
    /// Bytes in front of the message.
    public static let headerByteCount = 80
    private static let kind: UInt8 = 64
    private static let data = 64

    private struct Peer: BitwiseCopyable {
        let address: EndpointAddress
        let template: FrameTemplate
        var cookie = UInt64.max
    }

    public let address: EndpointAddress
    /// Bytes of the longest message.
    public let messageLimit: Int
    public private(set) var counters = TransportCounters()

    private let queuePair: any QueuePair
    private var incoming: PacketBatch
    private var outgoing: PacketBatch
    private var peers: [Peer] = []
    private var peerTable: PeerTable
    private let peerCapacity: Int
    private var receives: ReceiveQueue
    private var completions: CompletionRing
    private var portHasFailed = false

    /// - Parameters:
    ///   - port: its first queue pair is the endpoint's alone from now on, and the caller keeps the port alive.
    ///   - address: of this endpoint; its Ethernet address is the port's.
    ///   - options: of these the capacities count.
    public init(port: any Port, address: EndpointAddress, options: TransportOptions) {
        self.address = address
        queuePair = port.queuePairs[0]
        incoming = queuePair.makeBatch(capacity: 32)
        outgoing = queuePair.makeBatch(capacity: 64)
        messageLimit = port.maximumFrameByteCount - Self.headerByteCount
        peerTable = PeerTable(capacity: options.peerCapacity)
        peerCapacity = options.peerCapacity
        receives = ReceiveQueue(capacity: options.receiveCapacity)
        completions = CompletionRing(capacity: options.sendCapacity + options.receiveCapacity)
    }

    /// The peer with this address; a new one if there is none. nil: there is room for no more.
    public mutating func peer(for address: EndpointAddress) -> PeerID? {
        if let index = peerTable.find(address.key) { return PeerID(index: index) }
        guard peers.count < peerCapacity else { return nil }
        peers.append(Peer(address: address, template: FrameTemplate(from: self.address, to: address, nextHop: address.mac)))
        peerTable.insert(address.key, UInt32(peers.count - 1))
        return PeerID(index: UInt32(peers.count - 1))
    }

    /// The caller's own number for a peer; `.max`: none.
    public mutating func setCookie(_ cookie: UInt64, of peer: PeerID) {
        if peer.index < peers.count { peers[Int(peer.index)].cookie = cookie }
    }
    public func cookie(of peer: PeerID) -> UInt64? {
        guard peer.index < peers.count, peers[Int(peer.index)].cookie != .max else { return nil }
        return peers[Int(peer.index)].cookie
    }

    /// One message without a tag. It has left when this returns.
    public mutating func send(_ request: SendRequest) -> Posting {
        guard request.space == .untagged, request.peer.index < peers.count else { return .refused(.unknownPeer) }
        guard !portHasFailed else { return .refused(.portFailed) }
        guard request.memory.byteCount <= messageLimit else { return .refused(.tooLong) }
        guard completions.count < completions.capacity / 2, outgoing.room > 0, var packet = queuePair.makePacket() else { return .tryAgain }
        let template = peers[Int(request.peer.index)].template
        let window = packet.window
        template.store(into: window)
        window.store8(FrameLayout.currentVersion, at: FrameLayout.version)
        window.store8(Self.kind, at: FrameLayout.kind)
        let carriesData = request.options.contains(.carriesData)
        window.store16(carriesData ? FrameFlags.carriesData.rawValue : 0, at: FrameLayout.flags)
        window.store64(peers[Int(request.peer.index)].address.key, at: FrameLayout.destinationKey)
        window.store64(address.key, at: FrameLayout.sourceKey)
        window.store64(carriesData ? request.data : 0, at: Self.data)
        window.store64(0, at: Self.data + 8)
        let start = Self.headerByteCount
        let sum = request.memory.copySumming(offset: 0, byteCount: request.memory.byteCount, to: window, at: start)
        packet.byteCount = start + request.memory.byteCount
        template.seal(window, byteCount: packet.byteCount, tail: DatagramSum.Tail(start: start, sum: sum))
        _ = outgoing.append(packet)
        _ = queuePair.send(&outgoing)
        counters.framesSent &+= 1
        counters.messagesSent &+= 1
        counters.bytesSent &+= UInt64(request.memory.byteCount)
        if request.options.contains(.completes) {
            var completion = Completion(
                kind: .send, space: .untagged, context: request.context, peer: request.peer, byteCount: request.memory.byteCount)
            completion.options = request.options
            completions.append(completion)
        }
        return .accepted
    }

    /// Memory for the next message, whoever sends it.
    public mutating func receive(_ request: ReceiveRequest) -> Posting {
        guard request.space == .untagged else { return .refused(.unknownPeer) }
        guard !portHasFailed else { return .refused(.portFailed) }
        return receives.append(request) ? .accepted : .tryAgain
    }

    public mutating func cancelReceive(context: UInt) -> Bool {
        guard completions.count < completions.capacity, let request = receives.remove(context: context) else { return false }
        var completion = Completion(kind: .receive, space: .untagged, context: context, peer: .any, byteCount: 0, error: .canceled)
        completion.options = request.options
        completions.append(completion)
        return true
    }

    /// As ``MessageEndpoint/declarePortDead()``. Receives end as far as there is room; the others with the next ``progress()``.
    public mutating func declarePortDead() {
        portHasFailed = true
        outgoing.removeAll()
        endReceives()
    }

    private mutating func endReceives() {
        while completions.count < completions.capacity, let request = receives.removeFirst() {
            var completion = Completion(
                kind: .receive, space: .untagged, context: request.context, peer: .any, byteCount: 0, error: .portFailed)
            completion.options = request.options
            completions.append(completion)
        }
    }

    /// Takes as many frames as there are places for. The others wait in the NIC's ring, and are lost when it is full.
    public mutating func progress() -> Bool {
        var received = false
        if portHasFailed {
            endReceives()
            return false
        }
        while receives.count > 0, completions.count < completions.capacity {
            if incoming.isEmpty, queuePair.receive(into: &incoming) == 0 { break }
            guard let packet = incoming.removeFirst() else { break }
            received = true
            arrived(packet)
        }
        if !outgoing.isEmpty { _ = queuePair.send(&outgoing) } else if !received { queuePair.reclaim() }
        return received
    }

    private mutating func arrived(_ packet: consuming Packet) {
        let window = packet.window
        counters.framesReceived &+= 1
        let end: Int
        switch IncomingFrame.envelope(window, byteCount: packet.byteCount, flags: packet.flags, for: address) {
        case .foreign:
            counters.foreignFrames &+= 1
            return
        case .malformed:
            counters.malformedFrames &+= 1
            return
        case .good(let found): end = found
        }
        let flags = FrameFlags(rawValue: window.load16(at: FrameLayout.flags))
        guard window.load8(at: FrameLayout.version) == FrameLayout.currentVersion, window.load8(at: FrameLayout.kind) == Self.kind,
            flags.isSubset(of: .carriesData), window.load16(at: 46) == 0, window.load64(at: Self.data + 8) == 0,
            let request = receives.removeFirst()
        else {
            counters.malformedFrames &+= 1
            return
        }
        let byteCount = end &- Self.headerByteCount
        let fitting = min(byteCount, request.memory.byteCount)
        request.memory.fill(from: window, at: Self.headerByteCount, byteCount: fitting, offset: 0)
        counters.messagesReceived &+= 1
        counters.bytesReceived &+= UInt64(fitting)
        let sender = peerTable.find(window.load64(at: FrameLayout.sourceKey)).map { PeerID(index: $0) } ?? .any
        guard request.options.contains(.completes) || fitting < byteCount else { return }
        var completion = Completion(
            kind: .receive, space: .untagged, context: request.context, peer: sender, byteCount: fitting,
            error: fitting < byteCount ? .truncated : nil)
        completion.options = request.options
        completion.truncatedByteCount = byteCount &- fitting
        completion.carriesData = flags.contains(.carriesData)
        completion.data = window.load64(at: Self.data)
        completion.address = request.memory.firstAddress
        completions.append(completion)
    }

    /// The oldest completion that nobody has taken.
    public mutating func takeCompletion() -> Completion? { completions.removeFirst() }
}
