import DeviceMemory

/// The one's complement sum of RFC 1071, in the machine's byte order (§2 B: the order changes nothing but the result's).
enum DatagramSum {
    /// The sum of a part of a frame that starts at an even offset, folded to 16 bits.
    static func sum(_ window: MemoryWindow, from start: Int, to end: Int, startingWith initial: UInt64 = 0) -> UInt64 {
        precondition(start >= 0 && start <= end && end <= window.byteCount)
        // SAFETY: the range was checked. Plain loads: a device that rewrites a frame under us could as well have sent another.
        let bytes = unsafe UnsafeRawBufferPointer(start: window.baseAddress + start, count: end - start)
        var sums = SIMD8<UInt64>(repeating: 0)
        var at = 0
        while at &+ 32 <= bytes.count {
            let words = unsafe bytes.loadUnaligned(fromByteOffset: at, as: SIMD8<UInt32>.self)
            sums &+= SIMD8<UInt64>(truncatingIfNeeded: words)
            at &+= 32
        }
        var total = fold(initial) &+ fold(sums.wrappedSum())
        // SAFETY: (the rest) each access ends inside of `bytes`, as the condition before it says.
        while at &+ 4 <= bytes.count {
            total &+= UInt64(unsafe bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
            at &+= 4
        }
        if at &+ 2 <= bytes.count {
            total &+= UInt64(unsafe bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self))
            at &+= 2
        }
        // SAFETY: as above. An odd last byte is the first of a word whose second is zero.
        if at < bytes.count { total &+= UInt64(UInt16(littleEndian: UInt16(unsafe bytes[at]))) }
        return fold(total)
    }

    static func fold(_ sum: UInt64) -> UInt64 {
        var sum = sum
        while sum >> 16 != 0 { sum = sum & 0xffff &+ sum >> 16 }
        return sum
    }
}
