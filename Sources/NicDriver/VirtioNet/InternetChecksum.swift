import DeviceMemory

/// The checksum of IPv4, UDP and TCP (RFC 1071), for what a virtio device leaves to its driver. Off the hot path.
enum InternetChecksum {
    /// The one's complement sum of the 16-bit big-endian words of a piece of a packet; an odd last byte counts as the upper
    /// half of a word.
    static func sum(_ packet: MemoryWindow, from start: Int, to end: Int) -> UInt16 {
        packet.onesComplementSum(at: start, byteCount: end - start).byteSwapped
    }

    /// Replaces the field at `field`, which holds the sum that the checksum starts from, by the checksum from `start` to
    /// `end`. A UDP checksum of zero would mean that there is none, and becomes its other form (RFC 768).
    static func complete(_ packet: MemoryWindow, from start: Int, to end: Int, field: Int, isUDP: Bool) {
        var checksum = ~sum(packet, from: start, to: end)
        if isUDP, checksum == 0 { checksum = 0xffff }
        packet.store16(checksum.byteSwapped, at: field)
    }

    /// Where the transport's checksum is in its header: RFC 768, RFC 9293 §3.1. The IPv4 header's is at 10 (RFC 791 §3.1).
    static var udpField: Int { 6 }
    static var tcpField: Int { 16 }
    static var ipField: Int { 10 }
}
