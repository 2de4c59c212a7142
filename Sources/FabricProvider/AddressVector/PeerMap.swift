import MPIBridge

/// From an address vector's numbers to an endpoint's peers, in one load.
@safe struct PeerMap: ~Copyable {
    private var peers: UnsafeMutablePointer<UInt32>
    private var capacity: Int

    init() {
        capacity = 64
        // SAFETY: the deinit gives it back.
        unsafe peers = .allocate(capacity: capacity)
        unsafe peers.initialize(repeating: .max, count: capacity)
    }

    deinit {
        // SAFETY: allocated here.
        unsafe peers.deallocate()
    }

    @inline(__always) subscript(number: UInt64) -> PeerID? {
        guard number < UInt64(truncatingIfNeeded: capacity) else { return nil }
        // SAFETY: the index was checked.
        let peer = unsafe peers[Int(truncatingIfNeeded: number)]
        return peer == .max ? nil : PeerID(index: peer)
    }

    /// - Parameter number: below ``AddressVector/limit``.
    mutating func set(_ number: UInt64, to peer: PeerID?) {
        precondition(number < UInt64(AddressVector.limit))
        if number >= UInt64(capacity) {
            var larger = capacity
            while UInt64(larger) <= number { larger *= 2 }
            // SAFETY: the larger piece takes over what the smaller one held, which is given back.
            let fresh = UnsafeMutablePointer<UInt32>.allocate(capacity: larger)
            unsafe fresh.initialize(repeating: .max, count: larger)
            unsafe fresh.update(from: peers, count: capacity)
            unsafe peers.deallocate()
            unsafe peers = fresh
            capacity = larger
        }
        // SAFETY: there is room.
        unsafe peers[Int(number)] = peer?.index ?? .max
    }
}
