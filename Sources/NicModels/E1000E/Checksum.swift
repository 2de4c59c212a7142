import DeviceMemory

/// The Internet checksum (RFC 1071) and Ethernet's CRC, over memory that others may write.
enum Checksum {
    /// The ones' complement sum of 16-bit big-endian words, folded to 16 bits; an odd last byte counts as a high one.
    static func sum(_ window: MemoryWindow, at offset: Int, byteCount: Int, seed: UInt64 = 0) -> UInt16 {
        // Summed in memory's order and swapped at the end: RFC 1071 §2(B).
        fold(UInt64(window.onesComplementSum(at: offset, byteCount: byteCount).byteSwapped) &+ seed)
    }

    @inline(__always)
    static func fold(_ sum: UInt64) -> UInt16 {
        var sum = (sum & 0xffff_ffff) &+ (sum >> 32)
        sum = (sum & 0xffff) &+ (sum >> 16 & 0xffff) &+ (sum >> 32)
        sum = (sum & 0xffff) &+ (sum >> 16)
        sum = (sum & 0xffff) &+ (sum >> 16)
        return UInt16(truncatingIfNeeded: sum)
    }

    /// IEEE 802.3 §3.2.9, the value whose bytes follow the frame, lowest first.
    static func ethernetCRC(_ window: MemoryWindow, byteCount: Int) -> UInt32 {
        var crc: UInt32 = ~0
        for at in 0..<byteCount {
            crc ^= UInt32(window.load8(at: at))
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
