import MPIBridge
import NicDriver

/// A port's name among peers, in the 16 bytes of a GID: all that a program tells another one beside queue pair numbers, and so
/// all that an address of an endpoint has to be made of. In the form of a unique local address (RFC 4193 §3.1):
///
///     byte  0      0xfd
///     byte  1–5    random, made anew with each opening of the port: frames for another life of it carry another one
///     byte  6–9    IPv4 address
///     byte 10–15   Ethernet address
struct PortName: Hashable, BitwiseCopyable, Sendable {
    /// 40 bits.
    let life: UInt64
    let ipv4: UInt32
    let mac: MACAddress

    private static let prefix: UInt64 = 0xfd
    /// The upper bits of the keys of endpoints that are named so.
    private static let keyPrefix: UInt64 = 0x75_6e_69 << 40
    private static let lifeMask: UInt64 = 1 << 40 - 1

    init(life: UInt64, ipv4: UInt32, mac: MACAddress) {
        self.life = life & Self.lifeMask
        self.ipv4 = ipv4
        self.mac = mac
    }

    /// A new life of a port. The IPv4 address is of the private network 10/8 (RFC 1918 §3), its lower bytes the Ethernet address's.
    init(of port: any Port) {
        self.init(
            life: .random(in: 1...Self.lifeMask), ipv4: 10 << 24 | UInt32(truncatingIfNeeded: port.macAddress.bits & 0xff_ffff),
            mac: port.macAddress)
    }

    /// Reads a GID's halves, as numbers. nil for one that names no port of this kind.
    init?(high: UInt64, low: UInt64) {
        let mac = MACAddress(bits: low)
        guard high >> 56 == Self.prefix, !mac.isMulticast, mac.bits != 0 else { return nil }
        self.init(life: high >> 16, ipv4: UInt32(truncatingIfNeeded: high << 16 | low >> 48), mac: mac)
    }

    /// Bytes 0–7 of the GID, as a number.
    var high: UInt64 { Self.prefix << 56 | life << 16 | UInt64(ipv4 >> 16) }
    /// Bytes 8–15.
    var low: UInt64 { UInt64(ipv4 & 0xffff) << 48 | mac.bits }

    /// Names this life of the port in frames.
    var key: UInt64 { Self.keyPrefix | life }

    /// nil: the key is of no port that is named so.
    static func life(ofKey key: UInt64) -> UInt64? { key & ~lifeMask == keyPrefix ? key & lifeMask : nil }

    func endpoint(udpPort: UInt16) -> EndpointAddress { EndpointAddress(key: key, mac: mac, ipv4: ipv4, udpPort: udpPort) }
}

/// UDP ports of verbs: of those that are nobody's (RFC 6335 §6: 49152–65535).
enum VerbsUDPPort {
    /// Frames of the transport: reliable connections.
    static let connected: UInt16 = 53_698
    /// Datagrams of UD queue pairs.
    static let datagrams: UInt16 = 53_697
}
