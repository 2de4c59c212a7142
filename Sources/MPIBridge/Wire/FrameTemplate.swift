public import DeviceMemory
public import NicDriver

/// The first 42 bytes of every frame to one peer: Ethernet II, IPv4 (RFC 791 §3.1), UDP (RFC 768). Lengths and checksums are filled in for each.
public struct FrameTemplate: BitwiseCopyable, Sendable {
    /// Bytes 0–41, and zeros.
    private var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)
    /// Sum of the IPv4 header without its length.
    private let ipSum: UInt64
    /// Sum of the pseudo header (RFC 768) without the length, and of the ports.
    private let udpSum: UInt64

    private enum Offset { static let ipLength = 16, ipChecksum = 24, udpLength = 38, udpChecksum = 40 }
    private static let ipHeader = 14, udpHeader = 34

    /// - Parameter nextHop: whose Ethernet address the frames go to.
    public init(from source: EndpointAddress, to target: EndpointAddress, nextHop: MACAddress) {
        func bytes(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
            stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
        }
        var head = nextHop.bytes + source.mac.bytes + [0x08, 0x00]
        // RFC 791 §3.1: version 4, five words; RFC 6864 §4.1: a datagram that is never fragmented needs no identification.
        head += [0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0]
        head += bytes(source.ipv4) + bytes(target.ipv4) + bytes(source.udpPort) + bytes(target.udpPort)
        head += [UInt8](repeating: 0, count: 48 - head.count)
        func word(_ index: Int) -> UInt64 { (0..<8).reversed().reduce(0) { $0 << 8 | UInt64(head[index * 8 + $1]) } }
        words = (word(0), word(1), word(2), word(3), word(4), word(5))
        func sum(_ range: Range<Int>) -> UInt64 {
            stride(from: range.lowerBound, to: range.upperBound, by: 2).reduce(0) { $0 + UInt64(head[$1]) + UInt64(head[$1 + 1]) << 8 }
        }
        ipSum = sum(14..<34)
        udpSum = sum(26..<38) + UInt64(UInt16(17).bigEndian)
    }

    /// Writes bytes 0–47; a frame's own header follows.
    @inline(__always) public func store(into window: MemoryWindow) {
        window.store64(words.0, at: 0)
        window.store64(words.1, at: 8)
        window.store64(words.2, at: 16)
        window.store64(words.3, at: 24)
        window.store64(words.4, at: 32)
        window.store64(words.5, at: 40)
    }

    /// Fills in lengths and checksums of a frame that is complete otherwise.
    /// - Parameter byteCount: of the whole frame, without FCS and padding.
    public func seal(_ window: MemoryWindow, byteCount: Int) {
        seal(window, byteCount: byteCount, tail: DatagramSum.Tail(start: byteCount, sum: 0))
    }

    /// - Parameter tail: what needs no summing any more.
    func seal(_ window: MemoryWindow, byteCount: Int, tail: DatagramSum.Tail) {
        let ipLength = UInt16(truncatingIfNeeded: byteCount &- Self.ipHeader).bigEndian
        let udpLength = UInt16(truncatingIfNeeded: byteCount &- Self.udpHeader).bigEndian
        window.store16(ipLength, at: Offset.ipLength)
        window.store16(~UInt16(truncatingIfNeeded: DatagramSum.fold(ipSum &+ UInt64(ipLength))), at: Offset.ipChecksum)
        window.store16(udpLength, at: Offset.udpLength)
        // The length counts twice: in the pseudo header and in the header.
        let sum = DatagramSum.sum(
            window, from: FrameLayout.datagram, to: tail.start, startingWith: udpSum &+ tail.sum &+ 2 &* UInt64(udpLength))
        let checksum = ~UInt16(truncatingIfNeeded: sum)
        // RFC 768: zero would say that there is none.
        window.store16(checksum == 0 ? .max : checksum, at: Offset.udpChecksum)
    }
}
