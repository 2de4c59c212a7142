extension MemoryWindow {
    /// The one's complement sum of RFC 1071 over a part, of 16-bit words in memory's byte order (§2 B: the order changes nothing but
    /// the result's), folded to 16 bits. An odd last byte is the first of a word whose second is zero.
    ///
    /// Plain loads, unlike the others of a window: who changes the bytes meanwhile gets a sum of some of both.
    /// - Parameter start: a sum to go on from.
    public func onesComplementSum(at offset: Int, byteCount count: Int, startingWith start: UInt64 = 0) -> UInt16 {
        check(offset, count)
        // SAFETY: the range was checked; whoever made the window keeps the memory alive.
        let bytes = unsafe UnsafeRawBufferPointer(start: base + offset, count: count)
        var lanes = SIMD8<UInt64>(repeating: 0)
        var at = 0
        // SAFETY: (all loads) each ends inside of `bytes`, as the condition before it says.
        while at &+ 32 <= count {
            lanes &+= SIMD8<UInt64>(truncatingIfNeeded: unsafe bytes.loadUnaligned(fromByteOffset: at, as: SIMD8<UInt32>.self))
            at &+= 32
        }
        var sum = Self.fold(start) &+ Self.fold(lanes.wrappedSum())
        while at &+ 4 <= count {
            sum &+= UInt64(unsafe bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
            at &+= 4
        }
        // SAFETY: as above.
        if at &+ 2 <= count {
            sum &+= UInt64(unsafe bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self))
            at &+= 2
        }
        if at < count { sum &+= UInt64(UInt16(littleEndian: UInt16(unsafe bytes[at]))) }
        return UInt16(truncatingIfNeeded: Self.fold(sum))
    }

    @inline(__always) private static func fold(_ sum: UInt64) -> UInt64 {
        var sum = (sum & 0xffff_ffff) &+ (sum >> 32)
        sum = (sum & 0xffff) &+ (sum >> 16 & 0xffff) &+ (sum >> 32)
        sum = (sum & 0xffff) &+ (sum >> 16)
        return (sum & 0xffff) &+ (sum >> 16)
    }
}
