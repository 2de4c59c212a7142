/// A capture file as libpcap reads it (pcap-savefile(5)): version 2.4, time stamps in nanoseconds, little-endian.
public struct PcapFile: Sendable {
    /// pcap-savefile(5): time stamps are seconds and nanoseconds.
    public static let nanosecondMagic: UInt32 = 0xA1B2_3C4D
    /// pcap-linktype(7), LINKTYPE_ETHERNET.
    public static let ethernetLinkType: UInt32 = 1
    public static let snapLength: UInt32 = 65535

    /// The whole file so far.
    public private(set) var bytes: [UInt8] = []

    public init() {
        append(Self.nanosecondMagic)
        append(UInt32(2) | UInt32(4) << 16)
        append(0)
        append(0)
        append(Self.snapLength)
        append(Self.ethernetLinkType)
    }

    /// - Parameters:
    ///   - frame: an Ethernet frame without FCS.
    ///   - nanoseconds: since 1970, UTC.
    public mutating func append(frame: [UInt8], nanoseconds: UInt64) {
        let kept = min(frame.count, Int(Self.snapLength))
        append(UInt32(truncatingIfNeeded: nanoseconds / 1_000_000_000))
        append(UInt32(truncatingIfNeeded: nanoseconds % 1_000_000_000))
        append(UInt32(kept))
        append(UInt32(clamping: frame.count))
        bytes += frame[..<kept]
    }

    private mutating func append(_ value: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
