public import CLinuxShims

/// A ring of 16-byte descriptors that a device reads and writes. A power of two of them: any number names a slot.
/// Safety duty of whoever makes one: the memory outlives the ring.
@safe @frozen public struct DescriptorRing: BitwiseCopyable, @unchecked Sendable {
    @unsafe @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let mask: Int

    /// - Parameters:
    ///   - window: at least `count` × 16 bytes.
    ///   - count: a power of two.
    public init(_ window: MemoryWindow, count: Int) {
        precondition(count > 0 && count & (count - 1) == 0 && window.byteCount >= count * 16)
        // SAFETY: the window's maker keeps its memory alive, and `count` descriptors fit.
        unsafe base = window.base
        mask = count - 1
    }

    @inlinable public var count: Int { mask &+ 1 }

    /// How many slots there are from a free-running number to the ring's end.
    @inlinable public func countToEnd(from number: Int) -> Int { mask &+ 1 &- (number & mask) }

    /// The slot of a free-running number.
    @inlinable @inline(__always) public func slot(_ number: Int) -> RingSlot { RingSlot(index: number & mask) }

    @unsafe @inlinable @inline(__always) func address(_ slot: RingSlot) -> UnsafeMutableRawPointer {
        // SAFETY: a slot was made by the mask of a ring of this size.
        unsafe base + slot.index &<< 4
    }

    /// The first word, read once.
    @inlinable @inline(__always) public func word0(_ slot: RingSlot) -> UInt64 {
        // SAFETY: a slot was made by the mask of a ring of this size.
        unsafe UInt64(littleEndian: unic_load64(address(slot)))
    }

    /// The second word, read once.
    @inlinable @inline(__always) public func word1(_ slot: RingSlot) -> UInt64 {
        // SAFETY: a slot was made by the mask of a ring of this size.
        unsafe UInt64(littleEndian: unic_load64(address(slot) + 8))
    }

    @inlinable @inline(__always) public func store(_ word0: UInt64, _ word1: UInt64, _ slot: RingSlot) {
        // SAFETY: a slot was made by the mask of a ring of this size.
        unsafe unic_store64(address(slot), word0.littleEndian)
        unsafe unic_store64(address(slot) + 8, word1.littleEndian)
    }

    @inlinable @inline(__always) public func setWord0(_ word0: UInt64, _ slot: RingSlot) {
        // SAFETY: a slot was made by the mask of a ring of this size.
        unsafe unic_store64(address(slot), word0.littleEndian)
    }

    @inlinable @inline(__always) public func setWord1(_ word1: UInt64, _ slot: RingSlot) {
        // SAFETY: a slot was made by the mask of a ring of this size.
        unsafe unic_store64(address(slot) + 8, word1.littleEndian)
    }

    /// Sets bits in the second word. Only while software owns the descriptor.
    @inlinable @inline(__always) public func setWord1(bits: UInt64, _ slot: RingSlot) {
        // SAFETY: a slot was made by the mask of a ring of this size.
        unsafe unic_store64(address(slot) + 8, unic_load64(address(slot) + 8) | bits.littleEndian)
    }
}

/// A slot of a ring: an index that a ring's mask made. Used with rings and tables of one size only.
@frozen public struct RingSlot: BitwiseCopyable, Sendable {
    @usableFromInline let index: Int
    @inlinable init(index: Int) { self.index = index }

    /// A slot further on, for loops that stay below ``DescriptorRing/countToEnd(from:)`` and so need no mask.
    @inlinable @inline(__always) public func advanced(by count: Int) -> RingSlot { RingSlot(index: index &+ count) }
}
