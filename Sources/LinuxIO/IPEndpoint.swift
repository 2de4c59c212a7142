import Glibc

/// An IPv4 or IPv6 address with a port: `192.0.2.1:4789`, `[2001:db8::1]:4789`. No names: nothing is looked up.
public struct IPEndpoint: Equatable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes, as on the wire.
    public let address: [UInt8]
    public let port: UInt16

    public var isIPv6: Bool { address.count == 16 }
    /// 0.0.0.0 or ::, which stand for any address of this machine.
    public var isUnspecified: Bool { address.allSatisfy { $0 == 0 } }
    /// 224.0.0.0/4, 255.255.255.255 or ff00::/8.
    public var isMulticast: Bool { isIPv6 ? address[0] == 0xff : address[0] >> 4 == 0xe || address.allSatisfy { $0 == 0xff } }

    /// nil: not of one of the two forms, or port 0.
    public init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), port > 0 else { return nil }
        let host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.utf8.count > 2
        let bytes =
            isBracketed
            ? Self.bytes(of: String(host.dropFirst().dropLast()), AF_INET6, count: 16)
            : Self.bytes(of: String(host), AF_INET, count: 4)
        guard let bytes else { return nil }
        address = bytes
        self.port = port
    }

    private static func bytes(of text: String, _ family: Int32, count: Int) -> [UInt8]? {
        guard !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: the C string lives for the call, and the array holds what inet_pton(3) writes for its family.
        return unsafe inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }

    public var description: String {
        guard isIPv6 else { return address.map { "\($0)" }.joined(separator: ".") + ":\(port)" }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // SAFETY: both arrays live for the call; the text's length is given, and inet_ntop(3) ends it with a zero.
        guard unsafe inet_ntop(AF_INET6, address, &text, socklen_t(text.count)) != nil else { return "[?]:\(port)" }
        return "[" + String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) + "]:\(port)"
    }
}
