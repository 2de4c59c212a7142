public import CLinuxShims

/// A header of a few bytes right in front of each frame of a pool, in one piece with it for the device: the end of the
/// pool's headroom. Device and driver write it in turn, whoever owns the buffer.
@safe @frozen public struct PacketHeaders: BitwiseCopyable, @unchecked Sendable {
    @unsafe @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let firstIOVA: UInt64
    @usableFromInline let stride: Int

    /// - Parameter byteCount: of each header, a multiple of 4, at most the pool's headroom.
    public init(of pool: PacketPoolReference, byteCount: Int) {
        // SAFETY: the first header lies inside the memory that the pool keeps: its headroom was checked to hold it.
        unsafe precondition(byteCount > 0 && byteCount & 3 == 0 && byteCount <= pool.state.pointee.stride - pool.bufferByteCount)
        unsafe base = pool.state.pointee.base - byteCount
        firstIOVA = pool.firstIOVA - UInt64(byteCount)
        // SAFETY: a constant of live state.
        stride = unsafe pool.state.pointee.stride
    }

    /// Where the header of a buffer is, counted from the first one's.
    @frozen public struct Place: BitwiseCopyable, Sendable {
        @usableFromInline let offset: Int
        @inlinable init(offset: Int) { self.offset = offset }
    }

    /// - Parameter index: of a buffer of this pool, from a handle or a ring's table.
    @inlinable @inline(__always) public func place(of index: UInt32) -> Place {
        Place(offset: Int(truncatingIfNeeded: index) &* stride)
    }

    /// Where the device sees the header; the frame follows.
    @inlinable @inline(__always) public func iova(_ place: Place) -> UInt64 {
        firstIOVA &+ UInt64(truncatingIfNeeded: place.offset)
    }

    // Offsets within a header are constants of a family, checked against its size by the family's tests.

    @inlinable @inline(__always) public func load16(at offset: Int, _ place: Place) -> UInt16 {
        // SAFETY: a place was made of an index of this pool; its header lies inside the pool's memory.
        unsafe UInt16(littleEndian: unic_load16(base + (place.offset &+ offset)))
    }
    @inlinable @inline(__always) public func store64(_ value: UInt64, at offset: Int, _ place: Place) {
        // SAFETY: as load16.
        unsafe unic_store64(base + (place.offset &+ offset), value.littleEndian)
    }
    @inlinable @inline(__always) public func store32(_ value: UInt32, at offset: Int, _ place: Place) {
        // SAFETY: as load16.
        unsafe unic_store32(base + (place.offset &+ offset), value.littleEndian)
    }
}
