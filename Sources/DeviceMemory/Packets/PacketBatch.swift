/// Up to `capacity` packets of one pool, first in, first out. Packets still inside go back to the pool with the batch.
@safe @frozen public struct PacketBatch: ~Copyable, @unchecked Sendable {
    @usableFromInline let handles: UnsafeMutablePointer<PacketHandle>
    @usableFromInline var first: Int
    @usableFromInline var end: Int
    public let capacity: Int
    public let pool: PacketPoolReference

    public init(capacity: Int, pool: PacketPoolReference) {
        precondition(capacity > 0)
        self.capacity = capacity
        self.pool = pool
        first = 0
        end = 0
        // SAFETY: first..<end, which is all that is read, is stored before end grows.
        unsafe handles = UnsafeMutablePointer<PacketHandle>.allocate(capacity: capacity)
    }

    deinit {
        // SAFETY: first..<end are initialized handles that this batch owns.
        for index in first..<end { unsafe pool.give(handles[index].index) }
        unsafe handles.deallocate()
    }

    @inlinable public var count: Int { end &- first }
    @inlinable public var isEmpty: Bool { end == first }
    /// How many more fit behind the last one now.
    @inlinable public var room: Int { capacity &- end }

    /// Puts a packet behind the others. Gives it back if the batch is full; one of another pool is our own bug.
    @inlinable public mutating func append(_ packet: consuming Packet) -> Packet? {
        precondition(packet.pool == pool, "a packet of another port's pool")
        guard end < capacity else { return packet }
        let handle = packet.release()
        // SAFETY: end is below capacity.
        unsafe handles[end] = handle
        end &+= 1
        return nil
    }

    /// Takes the first packet out.
    @inlinable public mutating func removeFirst() -> Packet? {
        guard first < end else { return nil }
        // SAFETY: first is below end, which is at most capacity.
        let handle = unsafe handles[first]
        first &+= 1
        if first == end { first = 0; end = 0 }
        return Packet(adopting: handle, in: pool)
    }

    /// Drops all of them.
    @inlinable public mutating func removeAll() { while removeFirst() != nil {} }

    // The rings' side: handles move without becoming packets.

    /// The handle `offset` places behind the first, which stays in the batch.
    @inlinable @inline(__always) public func handle(at offset: Int) -> PacketHandle {
        assert(offset >= 0 && offset < count)
        // SAFETY: callers stay below `count`, read before their loop.
        return unsafe handles[first &+ offset]
    }
    /// The first `taken` handles now belong to a ring.
    @inlinable @inline(__always) public mutating func removeFirst(taken: Int) {
        precondition(taken >= 0 && taken <= end &- first)
        first &+= taken
        if first == end { first = 0; end = 0 }
    }
    /// Stores a handle `offset` places behind the last; counted by ``append(stored:)``.
    @inlinable @inline(__always) public func store(_ handle: PacketHandle, at offset: Int) {
        assert(offset >= 0 && offset < room)
        // SAFETY: callers stay below `room`, read before their loop.
        unsafe handles[end &+ offset] = handle
    }
    @inlinable @inline(__always) public mutating func append(stored: Int) {
        precondition(stored >= 0 && stored <= capacity &- end)
        end &+= stored
    }
}
