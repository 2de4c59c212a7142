/// An Ethernet address (IEEE 802): the first byte on the wire is the most significant of the 48 bits.
public struct MACAddress: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// 48 bits.
    public let bits: UInt64
    public init(bits: UInt64) { self.bits = bits & 0xffff_ffff_ffff }

    /// Six bytes as they are on the wire.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        bits = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// "02:00:00:00:00:01".
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.count == 2 && $0.allSatisfy(\.isHexDigit) ? UInt8($0, radix: 16) : nil }
        guard parts.count == 6, bytes.count == 6 else { return nil }
        self.init(bytes)
    }

    public var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: bits >> (40 - 8 * $0)) } }
    public var isMulticast: Bool { bits >> 40 & 1 == 1 }
    public static let broadcast = MACAddress(bits: 0xffff_ffff_ffff)

    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}
