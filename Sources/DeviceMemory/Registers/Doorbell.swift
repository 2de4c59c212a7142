public import CLinuxShims

/// One 32-bit register of a device, mapped: a store to it is a doorbell.
/// Safety duty of whoever makes one: the mapping outlives the doorbell.
@safe @frozen public struct Doorbell: BitwiseCopyable, @unchecked Sendable {
    @usableFromInline let register: UnsafeMutableRawPointer

    /// The register at `offset` of a window, which must be aligned to 4.
    @inlinable public init(_ window: MemoryWindow, at offset: Int) {
        window.check(offset, 4)
        precondition(offset & 3 == 0, "a doorbell that is not aligned")
        // SAFETY: checked to lie inside of the window, whose maker keeps it alive.
        unsafe register = window.base + offset
    }

    @inlinable @inline(__always) public func ring(_ value: UInt32) {
        // SAFETY: inside of a live mapping by the initializer.
        unsafe unic_store32(register, value.littleEndian)
    }

    @inlinable public var value: UInt32 {
        // SAFETY: inside of a live mapping by the initializer.
        unsafe UInt32(littleEndian: unic_load32(register))
    }
}

/// One 16-bit register of a device, mapped: a store to it is a doorbell.
/// Safety duty of whoever makes one: the mapping outlives the doorbell.
@safe @frozen public struct Doorbell16: BitwiseCopyable, @unchecked Sendable {
    @usableFromInline let register: UnsafeMutableRawPointer

    /// The register at `offset` of a window, which must be aligned to 2.
    @inlinable public init(_ window: MemoryWindow, at offset: Int) {
        window.check(offset, 2)
        precondition(offset & 1 == 0, "a doorbell that is not aligned")
        // SAFETY: checked to lie inside of the window, whose maker keeps it alive.
        unsafe register = window.base + offset
    }

    @inlinable @inline(__always) public func ring(_ value: UInt16) {
        // SAFETY: inside of a live mapping by the initializer.
        unsafe unic_store16(register, value.littleEndian)
    }
}
