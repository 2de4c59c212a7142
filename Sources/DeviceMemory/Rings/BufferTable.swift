/// Which packet buffer each slot of a ring holds: software's own memory, never the device's. A power of two of them.
@safe public struct BufferTable: ~Copyable, @unchecked Sendable {
    private let storage: UnsafeMutablePointer<UInt32>
    public let count: Int

    /// A slot without a buffer.
    @inlinable public static var none: UInt32 { .max }

    public init(count: Int) {
        precondition(count > 0 && count & (count - 1) == 0)
        self.count = count
        // SAFETY: initialized before anybody reads it.
        unsafe storage = UnsafeMutablePointer<UInt32>.allocate(capacity: count)
        // SAFETY: just allocated with this capacity.
        unsafe storage.initialize(repeating: BufferTable.none, count: count)
    }

    deinit {
        // SAFETY: allocated by init; views do not outlive the ring that owns this table.
        unsafe storage.deallocate()
    }

    public var view: View { unsafe View(storage, count: count) }

    /// The table as the data path sees it. Lives no longer than the table.
    @safe @frozen public struct View: BitwiseCopyable, @unchecked Sendable {
        @unsafe @usableFromInline let base: UnsafeMutablePointer<UInt32>
        @usableFromInline let mask: Int

        @unsafe @inlinable init(_ base: UnsafeMutablePointer<UInt32>, count: Int) {
            // SAFETY: the table that makes a view owns `count` entries.
            unsafe self.base = base
            mask = count - 1
        }

        /// - Parameter slot: of a ring with as many slots as this table.
        @inlinable public subscript(slot: RingSlot) -> UInt32 {
            // SAFETY: the ring's mask made the slot, and queues give ring and table one size.
            @inline(__always) get { unsafe base[slot.index] }
            @inline(__always) nonmutating set { unsafe base[slot.index] = newValue }
        }
    }
}

extension PacketPoolCursor {
    /// Gives back the buffers of `count` slots from `slot` on, none of them empty. The slots do not wrap.
    @inlinable @inline(__always) public mutating func give(_ buffers: BufferTable.View, from slot: RingSlot, count given: Int) {
        precondition(
            given >= 0 && given <= capacity &- count && slot.index &+ given <= buffers.mask &+ 1,
            "more packet buffers given back than taken")
        // SAFETY: both ranges were checked just above.
        unsafe (stack + count).update(from: buffers.base + slot.index, count: given)
        count &+= given
    }
}
