public import DeviceMemory

/// A received frame, read up to the end of its UDP header and judged: Ethernet II, IPv4 (RFC 791 §3.1), UDP (RFC 768).
public enum IncomingDatagram {
    public enum Judgement: BitwiseCopyable, Sendable {
        /// The datagram's end in the frame; padding may follow. Its payload starts at byte 42.
        case good(end: Int)
        /// Another protocol's, or for another address or port.
        case foreign
        /// For this port by its addresses, and wrong.
        case malformed
    }

    /// - Parameters:
    ///   - found: what the NIC says of the checksums.
    ///   - shortest: bytes that the frame has at least up to the datagram's end.
    public static func judge(
        _ window: MemoryWindow, byteCount: Int, flags found: PacketFlags, ipv4: UInt32, udpPort: UInt16, shortest: Int
    ) -> Judgement {
        guard byteCount >= shortest, byteCount <= window.byteCount, shortest >= FrameLayout.datagram else { return .foreign }
        // EtherType, version and header length, type of service; then fragment, time to live, protocol: RFC 791 §3.1.
        guard window.load16(at: 12) == 0x0008, window.load8(at: 14) == 0x45, window.load8(at: 23) == 17,
            UInt32(bigEndian: window.load32(at: 30)) == ipv4, UInt16(bigEndian: window.load16(at: 36)) == udpPort
        else { return .foreign }
        // A fragment has an offset, or more to follow.
        guard window.load16(at: 20) & 0xff3f == 0 else { return .malformed }
        let ipLength = Int(UInt16(bigEndian: window.load16(at: 16)))
        let udpLength = Int(UInt16(bigEndian: window.load16(at: 38)))
        guard ipLength <= byteCount &- 14, udpLength &+ 20 == ipLength, udpLength &+ 34 >= shortest else { return .malformed }
        let end = udpLength &+ 34
        return checksumsAreRight(window, end: end, found: found) ? .good(end: end) : .malformed
    }

    /// Where a judged frame came from, as it says itself.
    public static func source(_ window: MemoryWindow, key: UInt64) -> EndpointAddress? {
        let mac = UInt64(UInt32(bigEndian: window.load32(at: 6))) << 16 | UInt64(UInt16(bigEndian: window.load16(at: 10)))
        let address = EndpointAddress(
            key: key, mac: .init(bits: mac), ipv4: UInt32(bigEndian: window.load32(at: 26)),
            udpPort: UInt16(bigEndian: window.load16(at: 34)))
        return EndpointAddress(address.bytes)
    }

    /// What the NIC checked is not checked again. A datagram without a sum is none of ours.
    private static func checksumsAreRight(_ window: MemoryWindow, end: Int, found: PacketFlags) -> Bool {
        if found.contains(.transportChecksumBad) || found.contains(.ipChecksumBad) { return false }
        if !found.contains(.ipChecksumChecked), DatagramSum.sum(window, from: 14, to: 34) != 0xffff { return false }
        if window.load16(at: 40) == 0 { return false }
        if found.contains(.udpChecksumChecked) { return true }
        // RFC 768: the pseudo header is addresses, protocol and length.
        let length = UInt64(UInt16(truncatingIfNeeded: end &- 34).bigEndian)
        let pseudo = DatagramSum.sum(window, from: 26, to: 34) &+ UInt64(UInt16(17).bigEndian) &+ length
        return DatagramSum.sum(window, from: 34, to: end, startingWith: pseudo) == 0xffff
    }
}
