import MPIBridge

/// Registered memory by its keys. A key is a place and 16 random bits, so that an old or guessed one is told from a right one.
@safe struct MemoryKeys: ~Copyable {
    struct Region: BitwiseCopyable {
        var key: UInt32
        var domain: UInt32
        var address: UInt
        var byteCount: Int
        /// What peers and work requests call the first byte.
        var base: UInt64
        var access: MemoryAccess
        fileprivate var nextFree: UInt32 = .max
    }

    static let capacity = 1 << 16
    private let places: UnsafeMutablePointer<Region>
    private var touched = 0
    private var firstFree = UInt32.max
    private(set) var count = 0

    init() {
        // SAFETY: a place is initialized when it is taken for the first time; only those below `touched` are read.
        unsafe places = .allocate(capacity: Self.capacity)
    }

    deinit {
        // SAFETY: allocated by init; the elements need no destruction.
        unsafe places.deallocate()
    }

    /// The new region's key, never 0. nil: there are too many.
    mutating func add(domain: UInt32, address: UInt, byteCount: Int, base: UInt64, access: MemoryAccess) -> UInt32? {
        let place: Int
        if firstFree != .max {
            place = Int(firstFree)
            // SAFETY: a free place below `touched`.
            firstFree = unsafe places[place].nextFree
        } else {
            guard touched < Self.capacity else { return nil }
            place = touched
            touched += 1
        }
        let key = UInt32(place) << 16 | UInt32(UInt16.random(in: 1...UInt16.max))
        // SAFETY: below `touched`.
        unsafe (places + place).initialize(
            to: Region(key: key, domain: domain, address: address, byteCount: byteCount, base: base, access: access))
        count += 1
        return key
    }

    mutating func remove(_ key: UInt32) {
        guard self[key] != nil else { return }
        let place = Int(key >> 16)
        // SAFETY: (here and below) `self[key]` has found it.
        unsafe places[place].key = 0
        unsafe places[place].nextFree = firstFree
        firstFree = UInt32(place)
        count -= 1
    }

    /// Safe for any key.
    @inline(__always) subscript(key: UInt32) -> Region? {
        let place = Int(key >> 16)
        guard key != 0, place < touched else { return nil }
        // SAFETY: below `touched`.
        let region = unsafe places[place]
        return region.key == key ? region : nil
    }

    /// Memory that a work request names, as far as its key allows. nil: it does not. Safe for any numbers.
    @inline(__always) func piece(address: UInt64, byteCount: UInt32, key: UInt32, domain: UInt32, writes: Bool) -> MemoryPiece? {
        if byteCount == 0 { return MemoryPiece(address: 0, byteCount: 0) }
        guard let region = self[key], region.domain == domain, !writes || region.access.contains(.localWrite) else { return nil }
        let offset = address &- region.base
        let size = UInt64(region.byteCount)
        guard UInt64(byteCount) <= size, offset <= size - UInt64(byteCount) else { return nil }
        return MemoryPiece(address: region.address &+ UInt(offset), byteCount: Int(byteCount))
    }

    /// Regions of one protection domain.
    func forEach(in domain: UInt32, _ body: (Region) -> Void) {
        for place in 0..<touched {
            // SAFETY: below `touched`.
            let region = unsafe places[place]
            if region.key != 0, region.domain == domain { body(region) }
        }
    }
}

/// What may be done with registered memory: the numbers of ibv_access_flags (infiniband/verbs.h).
struct MemoryAccess: OptionSet, BitwiseCopyable, Sendable {
    let rawValue: UInt32
    static let localWrite = MemoryAccess(rawValue: 1 << 0)
    static let remoteWrite = MemoryAccess(rawValue: 1 << 1)
    static let remoteRead = MemoryAccess(rawValue: 1 << 2)
    static let remoteAtomic = MemoryAccess(rawValue: 1 << 3)

    /// Whoever may write from afar, may here (ibv_reg_mr(3)).
    var isConsistent: Bool { contains(.localWrite) || isDisjoint(with: [.remoteWrite, .remoteAtomic]) }

    /// What peers may do with it over a queue pair that allows so much.
    func remote(over queuePair: MemoryAccess) -> RegionAccess {
        var access = RegionAccess()
        if contains(.remoteRead), queuePair.contains(.remoteRead) { access.insert(.remoteRead) }
        if contains(.remoteWrite), queuePair.contains(.remoteWrite) { access.insert(.remoteWrite) }
        return access
    }

    /// Of a queue pair: whether peers may do something else with some region than before.
    func changesRights(from old: MemoryAccess) -> Bool {
        let every: MemoryAccess = [.localWrite, .remoteWrite, .remoteRead, .remoteAtomic]
        return every.remote(over: self) != every.remote(over: old)
    }
}
