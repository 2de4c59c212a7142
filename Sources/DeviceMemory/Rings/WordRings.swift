public import CLinuxShims

/// A ring of 16-bit words that software writes and a device reads, a power of two of them.
/// Safety duty of whoever makes one: the memory outlives the ring.
@safe @frozen public struct WordRing16: BitwiseCopyable, @unchecked Sendable {
    @unsafe @usableFromInline let base: UnsafeMutableRawPointer

    /// - Parameter window: exactly `count` words; `count` is that of the rings whose slots are used with it.
    public init(_ window: MemoryWindow, count: Int) {
        precondition(count > 0 && count & (count - 1) == 0 && window.byteCount == count * 2)
        // SAFETY: the window's maker keeps its memory alive, and it holds all words.
        unsafe base = window.base
    }

    @inlinable @inline(__always) public func store(_ value: UInt16, _ slot: RingSlot) {
        // SAFETY: a slot was made by the mask of a ring of this size.
        unsafe unic_store16(base + slot.index &<< 1, value.littleEndian)
    }
}

/// A ring of 64-bit words that a device writes and software reads, a power of two of them.
/// Safety duty of whoever makes one: the memory outlives the ring.
@safe @frozen public struct WordRing64: BitwiseCopyable, @unchecked Sendable {
    @unsafe @usableFromInline let base: UnsafeMutableRawPointer

    /// - Parameter window: exactly `count` words; `count` is that of the rings whose slots are used with it.
    public init(_ window: MemoryWindow, count: Int) {
        precondition(count > 0 && count & (count - 1) == 0 && window.byteCount == count * 8)
        // SAFETY: the window's maker keeps its memory alive, and it holds all words.
        unsafe base = window.base
    }

    /// A word, read once.
    @inlinable @inline(__always) public func load(_ slot: RingSlot) -> UInt64 {
        // SAFETY: a slot was made by the mask of a ring of this size.
        unsafe UInt64(littleEndian: unic_load64(base + slot.index &<< 3))
    }
}
