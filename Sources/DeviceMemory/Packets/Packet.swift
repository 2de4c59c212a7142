/// A packet that software owns. It goes back to its pool when it is dropped; sending it hands it to the NIC.
@frozen public struct Packet: ~Copyable, Sendable {
    @usableFromInline var handle: PacketHandle
    @usableFromInline let pool: PacketPoolReference

    /// Takes over what the handle stands for.
    @inlinable public init(adopting handle: PacketHandle, in pool: PacketPoolReference) {
        self.handle = handle
        self.pool = pool
    }

    /// An empty packet with a free buffer of the pool; nil when there is none.
    @inlinable public init?(from pool: PacketPoolReference) {
        guard let index = pool.take() else { return nil }
        handle = PacketHandle(index: index, byteCount: 0)
        self.pool = pool
    }

    deinit { pool.give(handle.index) }

    /// Bytes of the frame, without FCS.
    @inlinable public var byteCount: Int {
        get { Int(handle.byteCount) }
        set {
            precondition(newValue >= 0 && newValue <= pool.bufferByteCount, "a frame longer than its buffer")
            handle.word = handle.word & ~0xffff | UInt64(truncatingIfNeeded: newValue)
        }
    }

    @inlinable public var capacity: Int { pool.bufferByteCount }
    @inlinable public var flags: PacketFlags { handle.flags }

    /// The whole buffer. Only software touches it while the packet is owned.
    @inlinable public var window: MemoryWindow { pool.window(of: handle.index) }

    /// Asks the NIC to insert checksums on the way out.
    /// - Parameters: header lengths in bytes, link at most 127, network at most 255.
    @inlinable public mutating func requestChecksums(_ flags: PacketFlags, linkHeaderByteCount: Int, networkHeaderByteCount: Int) {
        precondition((0...127).contains(linkHeaderByteCount) && (0...255).contains(networkHeaderByteCount))
        handle = handle.asking(for: flags, linkHeaderByteCount: linkHeaderByteCount, networkHeaderByteCount: networkHeaderByteCount)
    }

    /// Hands the buffer out; nobody gives it back but the taker.
    @inlinable public consuming func release() -> PacketHandle {
        let handle = self.handle
        discard self
        return handle
    }
}
