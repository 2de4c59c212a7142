import MPIBridge

/// Ports that datagrams go to or come from.
@safe struct DatagramPeers: ~Copyable {
    struct Peer: BitwiseCopyable {
        let name: PortName
        /// Of frames to it.
        let template: FrameTemplate
        var pacing = Pacing()
    }

    /// Of all, so many may be made by frames that come in: strangers cannot take the places of those that programs name.
    static let capacity = 4096, strangerLimit = 2048

    private let local: PortName
    private var peers: WorkRing<Peer>
    private var table: PeerTable
    private var strangers = 0

    init(local: PortName) {
        self.local = local
        peers = WorkRing(capacity: Self.capacity)
        table = PeerTable(capacity: Self.capacity)
    }

    subscript(index: UInt32) -> Peer {
        _read { yield peers[index] }
        _modify { yield &peers[index] }
    }

    /// The peer of that name, a new one if there is none. nil: there is no room.
    mutating func named(_ name: PortName) -> UInt32? { find(name.key) ?? add(name) }

    /// The peer that a frame came from.
    mutating func stranger(key: UInt64, name: @autoclosure () -> PortName?) -> UInt32? {
        if let index = find(key) { return index }
        guard strangers < Self.strangerLimit, let name = name(), let index = add(name) else { return nil }
        strangers += 1
        return index
    }

    private mutating func find(_ key: UInt64) -> UInt32? { table.find(key) }

    private mutating func add(_ name: PortName) -> UInt32? {
        guard !peers.isFull else { return nil }
        let index = peers.tail
        let port = VerbsUDPPort.datagrams
        let template = FrameTemplate(from: local.endpoint(udpPort: port), to: name.endpoint(udpPort: port), nextHop: name.mac)
        peers.append(Peer(name: name, template: template))
        table.insert(name.key, index)
        return index
    }
}
