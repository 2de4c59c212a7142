public import CLinuxShims

/// A piece of memory that somebody else may read and write now: a mapped BAR, a ring, a packet buffer, a shared file.
///
/// Every access is volatile and happens exactly once. Offsets are ours, never a peer's: one outside traps, as our own
/// bugs do. Judge a peer's number before it becomes an offset (``contains(offset:byteCount:)``).
///
/// Safety duty of whoever makes one: the memory outlives every use of the window.
@safe @frozen public struct MemoryWindow: BitwiseCopyable, @unchecked Sendable {
    @usableFromInline let base: UnsafeMutableRawPointer
    public let byteCount: Int

    @unsafe @inlinable public init(_ base: UnsafeMutableRawPointer, byteCount: Int) {
        // SAFETY: the caller keeps `byteCount` bytes from here alive.
        unsafe self.base = base
        self.byteCount = byteCount
    }

    // SAFETY: handing the address out is the caller's duty, hence @unsafe.
    /// First byte, for the few places that hand it to the kernel.
    @unsafe @inlinable public var baseAddress: UnsafeMutableRawPointer { unsafe base }

    /// The first byte's address in this process, as the kernel wants it. A number: nobody goes through it.
    public var processAddress: UInt64 {
        // SAFETY: only the address is taken; nothing is read or written through it.
        unsafe UInt64(UInt(bitPattern: base))
    }

    /// Whether `byteCount` bytes from `offset` are inside; safe for any numbers.
    @inlinable public func contains(offset: UInt64, byteCount count: UInt64) -> Bool {
        let size = UInt64(truncatingIfNeeded: byteCount)
        return count <= size && offset <= size - count
    }

    @inlinable func check(_ offset: Int, _ count: Int) {
        precondition(
            offset >= 0 && count >= 0 && count <= byteCount && offset <= byteCount &- count, "an offset outside of a memory window")
    }

    @inlinable public func load8(at offset: Int) -> UInt8 {
        check(offset, 1)
        // SAFETY: checked to lie inside; the maker of the window keeps the memory alive.
        return unsafe unic_load8(base + offset)
    }
    @inlinable public func load16(at offset: Int) -> UInt16 {
        check(offset, 2)
        // SAFETY: as load8.
        return unsafe UInt16(littleEndian: unic_load16(base + offset))
    }
    @inlinable public func load32(at offset: Int) -> UInt32 {
        check(offset, 4)
        // SAFETY: as load8.
        return unsafe UInt32(littleEndian: unic_load32(base + offset))
    }
    @inlinable public func load64(at offset: Int) -> UInt64 {
        check(offset, 8)
        // SAFETY: as load8.
        return unsafe UInt64(littleEndian: unic_load64(base + offset))
    }
    @inlinable public func store8(_ value: UInt8, at offset: Int) {
        check(offset, 1)
        // SAFETY: as load8.
        unsafe unic_store8(base + offset, value)
    }
    @inlinable public func store16(_ value: UInt16, at offset: Int) {
        check(offset, 2)
        // SAFETY: as load8.
        unsafe unic_store16(base + offset, value.littleEndian)
    }
    @inlinable public func store32(_ value: UInt32, at offset: Int) {
        check(offset, 4)
        // SAFETY: as load8.
        unsafe unic_store32(base + offset, value.littleEndian)
    }
    @inlinable public func store64(_ value: UInt64, at offset: Int) {
        check(offset, 8)
        // SAFETY: as load8.
        unsafe unic_store64(base + offset, value.littleEndian)
    }

    /// A part of this window.
    @inlinable public func slice(at offset: Int, byteCount count: Int) -> MemoryWindow {
        check(offset, count)
        // SAFETY: inside of this window, alive as long as it is.
        return unsafe MemoryWindow(base + offset, byteCount: count)
    }

    /// Copies `count` bytes into another window. The bytes are read once; windows may not overlap.
    @inlinable public func copy(at offset: Int, byteCount count: Int, to target: MemoryWindow, at targetOffset: Int) {
        check(offset, count)
        target.check(targetOffset, count)
        // SAFETY: both ranges were checked.
        unsafe (target.base + targetOffset).copyMemory(from: base + offset, byteCount: count)
    }

    /// Copies bytes out into an array of our own.
    public func bytes(at offset: Int, byteCount count: Int) -> [UInt8] {
        check(offset, count)
        // SAFETY: the range was checked, the copy is ours.
        return unsafe [UInt8](UnsafeRawBufferPointer(start: base + offset, count: count))
    }

    /// Copies bytes of our own in.
    public func store(_ bytes: [UInt8], at offset: Int) {
        check(offset, bytes.count)
        // SAFETY: the range was checked; the array lives for the call.
        unsafe bytes.withUnsafeBytes { source in
            guard let from = source.baseAddress else { return }
            unsafe (base + offset).copyMemory(from: from, byteCount: source.count)
        }
    }

    /// Sets every byte.
    public func fill(_ value: UInt8) {
        // SAFETY: exactly the window.
        unsafe base.initializeMemory(as: UInt8.self, repeating: value, count: byteCount)
    }
}
