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

    enum Envelope: BitwiseCopyable {
        /// Where the datagram ends.
        case good(end: Int)
        case foreign
        case malformed
    }

    /// Everything around an endpoint's own header: Ethernet, IPv4, UDP, checksums, and whose it is.
    static func envelope(_ window: MemoryWindow, byteCount: Int, flags found: PacketFlags, for local: EndpointAddress) -> Envelope {
        let end: Int
        switch IncomingDatagram.judge(
            window, byteCount: byteCount, flags: found, ipv4: local.ipv4, udpPort: local.udpPort, shortest: FrameLayout.fields)
        {
        case .good(let last): end = last
        case .foreign: return .foreign
        case .malformed: return .malformed
        }
        guard window.load64(at: FrameLayout.destinationKey) == local.key else { return .foreign }
        return .good(end: end)
    }

    static func judge(_ window: MemoryWindow, byteCount: Int, flags found: PacketFlags, for local: EndpointAddress) -> Judgement {
        let end: Int
        switch envelope(window, byteCount: byteCount, flags: found, for: local) {
        case .foreign: return .foreign
        case .malformed: return .malformed
        case .good(let found): end = found
        }
        let flags = FrameFlags(rawValue: window.load16(at: FrameLayout.flags))
        guard window.load8(at: FrameLayout.version) == FrameLayout.currentVersion, window.load16(at: 46) == 0,
            let kind = FrameKind(rawValue: window.load8(at: FrameLayout.kind)), flags.isSubset(of: .known(in: kind)),
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
    static func source(_ window: MemoryWindow, key: UInt64) -> EndpointAddress? { IncomingDatagram.source(window, key: key) }
}
