import DeviceMemory

/// The one's complement sum of RFC 1071, in the machine's byte order (§2 B: the order changes nothing but the result's).
enum DatagramSum {
    /// The sum of a part of a frame that starts at an even offset, folded to 16 bits.
    static func sum(_ window: MemoryWindow, from start: Int, to end: Int, startingWith initial: UInt64 = 0) -> UInt64 {
        UInt64(window.onesComplementSum(at: start, byteCount: end &- start, startingWith: initial))
    }

    /// The sum of a frame's bytes from `start`, an even offset, to its end: known since they were copied.
    struct Tail {
        var start: Int
        var sum: UInt64
    }

    static func fold(_ sum: UInt64) -> UInt64 {
        var sum = sum
        while sum >> 16 != 0 { sum = sum & 0xffff &+ sum >> 16 }
        return sum
    }
}
