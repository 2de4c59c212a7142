public import NicDriver

/// Where an endpoint is reached, and which life of it: what peers exchange out of band before the first frame.
///
/// Wire form, 24 bytes, big-endian as addresses are:
///
///     byte  0     version 1
///     byte  1     zero
///     byte  2–3   UDP port
///     byte  4–7   IPv4 address
///     byte  8–13  Ethernet address
///     byte 14–15  zero
///     byte 16–23  key
public struct EndpointAddress: Hashable, BitwiseCopyable, Sendable {
    /// Random, made anew with each endpoint: frames for another life of this address, or of another job, carry another one.
    public var key: UInt64
    public var mac: MACAddress
    public var ipv4: UInt32
    public var udpPort: UInt16

    public static let byteCount = 24
    static let version: UInt8 = 1

    public init(key: UInt64, mac: MACAddress, ipv4: UInt32, udpPort: UInt16) {
        self.key = key
        self.mac = mac
        self.ipv4 = ipv4
        self.udpPort = udpPort
    }

    /// Reads the wire form. nil for one of another version or one that nobody can be reached at.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount, bytes.first == Self.version else { return nil }
        func number(_ range: Range<Int>) -> UInt64 {
            bytes.dropFirst(range.lowerBound).prefix(range.count).reduce(0) { $0 << 8 | UInt64($1) }
        }
        let mac = MACAddress(bits: number(8..<14))
        guard number(1..<2) == 0, number(14..<16) == 0, !mac.isMulticast, mac.bits != 0, number(2..<4) != 0 else { return nil }
        self.init(key: number(16..<24), mac: mac, ipv4: UInt32(number(4..<8)), udpPort: UInt16(number(2..<4)))
    }

    public var bytes: [UInt8] {
        func bytes(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
            stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
        }
        return [Self.version, 0] + bytes(udpPort) + bytes(ipv4) + mac.bytes + [0, 0] + bytes(key)
    }
}
