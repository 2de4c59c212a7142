/// The hash of receive side scaling: which queue a flow's frames go to. Each bit of the input that is set adds the 32 bits
/// of the key that begin at its place.
///
/// Key and examples: Microsoft, "Introduction to Receive Side Scaling" and "Verifying the RSS Hash Calculation".
public struct ToeplitzHash: Sendable {
    private let key: [UInt8]

    /// - Parameter key: 40 bytes; the input may have 4 fewer.
    public init(key: [UInt8] = ToeplitzHash.standardKey) { self.key = key }

    /// The key of Microsoft's examples, which NICs and their drivers use as default.
    public static let standardKey: [UInt8] = [
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
        0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
    ]

    /// The key as little-endian words, as registers want it.
    public static var standardKeyWords: [UInt32] {
        stride(from: 0, to: standardKey.count, by: 4).map { at in
            standardKey[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    /// The hash of addresses and ports, in the order of the packet. Bytes beyond the key's reach count for nothing.
    public func hash(_ input: some Sequence<UInt8>) -> UInt32 {
        var result: UInt32 = 0
        var window = key.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        for (index, byte) in input.enumerated() {
            let next = index + 4 < key.count ? key[index + 4] : 0
            for bit in (0..<8).reversed() {
                if byte >> bit & 1 == 1 { result ^= window }
                window = window << 1 | UInt32(next >> bit & 1)
            }
        }
        return result
    }
}
