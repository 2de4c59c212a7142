public import MPIBridge

/// A frame of the transport field by field, so that each can lie. Written from the format's description, not with the
/// transport's own code.
public struct ForgedFrame {
    public var version: UInt8 = 1
    public var kind: UInt8
    public var flags: UInt16 = 0
    public var reserved: UInt16 = 0
    public var destinationKey: UInt64
    public var sourceKey: UInt64
    public var sequence: UInt32 = 0
    public var acknowledgement: UInt32 = 0
    public var byteCredit: UInt32 = 1 << 18
    public var messageCredit: UInt32 = 64
    /// What stands from byte 80 on.
    public var rest: [UInt8]
    public var source: EndpointAddress
    public var target: EndpointAddress

    public init(kind: UInt8, from source: EndpointAddress, to target: EndpointAddress, words: [UInt64] = [], payload: [UInt8] = []) {
        self.kind = kind
        self.source = source
        self.target = target
        destinationKey = target.key
        sourceKey = source.key
        rest = words.flatMap { Self.little($0) } + payload
    }

    static func little(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    static func big(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] { little(value).reversed() }

    /// The whole frame, its lengths and checksums right.
    public var bytes: [UInt8] {
        var body: [UInt8] = [version, kind]
        body += Self.little(flags) + Self.little(reserved)
        body += Self.little(destinationKey) + Self.little(sourceKey)
        body += Self.little(sequence) + Self.little(acknowledgement)
        body += Self.little(byteCredit) + Self.little(messageCredit)
        body += rest
        let length = UInt16(truncatingIfNeeded: body.count + 8)
        // RFC 791 §3.1: version 4, five words, no fragments, UDP.
        var ip: [UInt8] = [0x45, 0] + Self.big(length + 20)
        ip += [0, 0, 0x40, 0, 64, 17, 0, 0]
        ip += Self.big(source.ipv4) + Self.big(target.ipv4)
        let ipSum = ~Checksums.sum(ip)
        ip.replaceSubrange(10..<12, with: Self.big(ipSum))
        // RFC 768.
        var udp = Self.big(source.udpPort) + Self.big(target.udpPort)
        udp += Self.big(length) + [0, 0]
        let pseudo: [UInt8] = Array(ip[12..<20]) + [0, 17] + Self.big(length)
        let sum = ~Checksums.sum(pseudo + udp + body)
        udp.replaceSubrange(6..<8, with: Self.big(sum == 0 ? .max : sum))
        return target.mac.bytes + source.mac.bytes + [8, 0] + ip + udp + body
    }
}
