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

    @unsafe @inlinable @inline(__always) func slot(_ number: Int) -> UnsafeMutableRawPointer {
        unsafe base + (number & mask) &<< 4
    }

    /// The first word, read once.
    @inlinable @inline(__always) public func word0(at number: Int) -> UInt64 {
        // SAFETY: the mask keeps the slot inside the ring.
        unsafe UInt64(littleEndian: unic_load64(slot(number)))
    }

    /// The second word, read once.
    @inlinable @inline(__always) public func word1(at number: Int) -> UInt64 {
        // SAFETY: the mask keeps the slot inside the ring.
        unsafe UInt64(littleEndian: unic_load64(slot(number) + 8))
    }

    @inlinable @inline(__always) public func store(_ word0: UInt64, _ word1: UInt64, at number: Int) {
        // SAFETY: the mask keeps the slot inside the ring.
        let slot = unsafe slot(number)
        unsafe unic_store64(slot, word0.littleEndian)
        unsafe unic_store64(slot + 8, word1.littleEndian)
    }
}
