/// Peers by their endpoint's key: open addressing, at most half full.
@safe public struct PeerTable: ~Copyable {
    private let places: UnsafeMutablePointer<(key: UInt64, peer: UInt32)>
    private let mask: Int
    private var last: (key: UInt64, peer: UInt32) = (0, .max)

    public init(capacity: Int) {
        var size = 16
        while size < 2 * capacity { size *= 2 }
        mask = size - 1
        // SAFETY: initialized right away.
        unsafe places = .allocate(capacity: size)
        unsafe places.initialize(repeating: (0, .max), count: size)
    }

    deinit {
        // SAFETY: allocated by init.
        unsafe places.deallocate()
    }

    public mutating func find(_ key: UInt64) -> UInt32? {
        if last.key == key, last.peer != .max { return last.peer }
        var place = start(key)
        // SAFETY: (here and below) masked to the table's size; at most half of it is full, so that the search ends.
        while unsafe places[place].peer != .max {
            if unsafe places[place].key == key {
                last = unsafe places[place]
                return last.peer
            }
            place = (place &+ 1) & mask
        }
        return nil
    }

    /// The key is not there yet, and the peers' slab is not larger than the capacity.
    public mutating func insert(_ key: UInt64, _ peer: UInt32) {
        var place = start(key)
        // SAFETY: as in find(_:).
        while unsafe places[place].peer != .max { place = (place &+ 1) & mask }
        unsafe places[place] = (key, peer)
    }

    private func start(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }
}
