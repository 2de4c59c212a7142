import NicDriver

/// A frame with a seeded payload, Ethernet type 0x88b5 (IEEE 802 local experimental 1), or IPv4 for checksum cases.
struct TestFrame {
    let bytes: [UInt8]

    /// - Parameter byteCount: of the frame without FCS, at least 14.
    init(to destination: MACAddress, from source: MACAddress, byteCount: Int, seed: UInt64) {
        var all = destination.bytes + source.bytes + [0x88, 0xb5]
        var random = SeededBytes(seed: seed)
        while all.count < byteCount { all.append(random.next()) }
        bytes = Array(all.prefix(byteCount))
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// As it arrives: the NIC pads to 60 bytes with zeros.
    var padded: [UInt8] { bytes + [UInt8](repeating: 0, count: max(0, 60 - bytes.count)) }

    /// A frame of the suite, not one that some kernel on the wire sends.
    static func isOurs(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 60 else { return false }
        if bytes[12] == 0x88, bytes[13] == 0xb5 { return true }
        return bytes[12] == 0x08 && bytes[13] == 0x00 && bytes[26] == 198 && bytes[27] == 18
    }
}

/// A reproducible stream of bytes (xorshift64*).
struct SeededBytes {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }
    mutating func word() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_f491_4f6c_dd1d
    }
    mutating func next() -> UInt8 { UInt8(truncatingIfNeeded: word() >> 56) }
}

/// IPv4 packets for checksum cases, from 198.18.0.1 to 198.18.0.2 (RFC 2544's benchmark network).
struct ChecksumFrame {
    enum Transport: UInt8 { case tcp = 6, udp = 17 }

    var bytes: [UInt8]
    let transport: Transport
    static let ipStart = 14
    static let transportStart = 34
    var checksumOffset: Int { ChecksumFrame.transportStart + (transport == .tcp ? 16 : 6) }

    /// Checksums right, everywhere. A flow has its own source address and port (RFC 791 §3.1, RFC 768, RFC 9293 §3.1).
    init(_ transport: Transport, to destination: MACAddress, from source: MACAddress, payload: Int, seed: UInt64, flow: UInt8 = 1) {
        self.transport = transport
        let headerBytes = transport == .tcp ? 20 : 8
        let segmentBytes = headerBytes + payload
        var random = SeededBytes(seed: seed)
        func pair(_ value: Int) -> [UInt8] { [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)] }
        let ip: [UInt8] =
            [0x45, 0] + pair(20 + segmentBytes) + [0, 1, 0x40, 0, 64, transport.rawValue, 0, 0, 198, 18, 0, flow, 198, 18, 0, 2]
        let ports = pair(4999 + Int(flow)) + pair(5001)
        let header: [UInt8] =
            transport == .udp ? ports + pair(segmentBytes) + [0, 0] : ports + [0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 1, 0, 0, 0, 0, 0]
        bytes = destination.bytes + source.bytes + [0x08, 0x00] + ip + header + (0..<payload).map { _ in random.next() }
        setIPChecksum()
        setTransportChecksum()
    }

    /// One's complement sum of 16-bit words (RFC 1071).
    static func sum(_ bytes: some Sequence<UInt8>, _ start: UInt32 = 0) -> UInt16 {
        var total = start
        var high: UInt8?
        for byte in bytes {
            if let first = high { total += UInt32(first) << 8 | UInt32(byte); high = nil } else { high = byte }
        }
        if let first = high { total += UInt32(first) << 8 }
        while total >> 16 != 0 { total = total & 0xffff + total >> 16 }
        return UInt16(total)
    }

    /// The sum over the pseudo-header, not complemented: what a NIC that inserts the checksum starts from.
    var pseudoHeaderSum: UInt16 {
        let length = bytes.count - ChecksumFrame.transportStart
        return ChecksumFrame.sum(Array(bytes[26..<34]) + [0, transport.rawValue, UInt8(length >> 8), UInt8(length & 0xff)])
    }

    mutating func setIPChecksum() {
        put(0, at: 24)
        put(~ChecksumFrame.sum(bytes[14..<34]), at: 24)
    }

    mutating func setTransportChecksum() {
        put(0, at: checksumOffset)
        put(~ChecksumFrame.sum(bytes[34...], UInt32(pseudoHeaderSum)), at: checksumOffset)
    }

    mutating func put(_ value: UInt16, at offset: Int) {
        bytes[offset] = UInt8(value >> 8)
        bytes[offset + 1] = UInt8(value & 0xff)
    }
}
