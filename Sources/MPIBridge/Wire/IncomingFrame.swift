import DeviceMemory

/// The header of a received frame, read once and judged.
struct IncomingFrame: BitwiseCopyable {
    let kind: FrameKind
    let flags: FrameFlags
    let sourceKey: UInt64
    let sequence: UInt32
    let acknowledgement: UInt32
    let byteCredit: UInt32
    let messageCredit: UInt32
    /// End of the datagram in the frame; padding may follow.
    let end: Int

    enum Judgement: BitwiseCopyable {
        case good(IncomingFrame)
        /// Another protocol's, another endpoint's, another life's.
        case foreign
        /// For this endpoint by its address, and wrong.
        case malformed
    }

    var payloadByteCount: Int { end &- kind.headerByteCount }

    static func judge(_ window: MemoryWindow, byteCount: Int, flags found: PacketFlags, for local: EndpointAddress) -> Judgement {
        guard byteCount >= FrameLayout.fields, byteCount <= window.byteCount else { return .foreign }
        // EtherType, version and header length, type of service; then fragment, time to live, protocol: RFC 791 §3.1.
        guard window.load16(at: 12) == 0x0008, window.load8(at: 14) == 0x45, window.load8(at: 23) == 17,
            UInt32(bigEndian: window.load32(at: 30)) == local.ipv4, UInt16(bigEndian: window.load16(at: 36)) == local.udpPort
        else { return .foreign }
        // A fragment has an offset, or more to follow.
        guard window.load16(at: 20) & 0xff3f == 0 else { return .malformed }
        let ipLength = Int(UInt16(bigEndian: window.load16(at: 16)))
        let udpLength = Int(UInt16(bigEndian: window.load16(at: 38)))
        guard ipLength <= byteCount &- 14, udpLength &+ 20 == ipLength, udpLength &+ 34 >= FrameLayout.fields else { return .malformed }
        let end = udpLength &+ 34
        guard checksumsAreRight(window, end: end, found: found) else { return .malformed }
        guard window.load64(at: FrameLayout.destinationKey) == local.key else { return .foreign }
        let flags = FrameFlags(rawValue: window.load16(at: FrameLayout.flags))
        guard window.load8(at: FrameLayout.version) == FrameLayout.currentVersion, window.load16(at: 46) == 0,
            flags.isSubset(of: .known), let kind = FrameKind(rawValue: window.load8(at: FrameLayout.kind)),
            kind.hasPayload ? end >= kind.headerByteCount : end == kind.headerByteCount
        else { return .malformed }
        return .good(
            IncomingFrame(
                kind: kind, flags: flags, sourceKey: window.load64(at: FrameLayout.sourceKey),
                sequence: window.load32(at: FrameLayout.sequence), acknowledgement: window.load32(at: FrameLayout.acknowledgement),
                byteCredit: window.load32(at: FrameLayout.byteCredit), messageCredit: window.load32(at: FrameLayout.messageCredit), end: end
            ))
    }

    /// Where the frame came from, as it says itself.
    static func source(_ window: MemoryWindow, key: UInt64) -> EndpointAddress? {
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
