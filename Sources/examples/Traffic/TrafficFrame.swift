import DeviceMemory
public import NicDriver

/// A generated frame: Ethernet, IPv4 and UDP headers, then who sent it and which one it is, so that a receiver can tell
/// loss, repetition and reordering. Headers: RFC 791 §3.1, RFC 768; addresses of RFC 2544's 198.18.0.0/15.
public struct TrafficFrame: Sendable {
    /// Shortest frame without FCS that holds all of it; IEEE 802.3 has the same minimum.
    public static let shortestByteCount = 60
    static let magicOffset = 42
    static let flowOffset = 46
    static let sequenceOffset = 48
    /// "unic", as it is loaded from memory.
    static let magic: UInt32 = 0x6369_6e75

    /// The whole frame of a flow, with sequence number 0.
    private let template: [UInt8]
    public let byteCount: Int

    /// - Parameter byteCount: without FCS, 60 to 9014.
    public init(to destination: MACAddress, from source: MACAddress, flow: UInt16, byteCount: Int) {
        func word(_ value: Int) -> [UInt8] { [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)] }
        let total = byteCount - 14
        var ip: [UInt8] = [0x45, 0] + word(total) + [0, 0, 0x40, 0, 64, 17, 0, 0, 198, 18] + word(Int(flow)) + [198, 19, 0, 1]
        var sum = stride(from: 0, to: 20, by: 2).reduce(0) { $0 + Int(ip[$1]) << 8 + Int(ip[$1 + 1]) }
        while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
        ip.replaceSubrange(10..<12, with: word(~sum & 0xffff))
        // A UDP checksum of zero: none was made.
        let udp = word(49152 + Int(flow & 0x3fff)) + word(9) + word(total - 20) + [0, 0]
        var bytes = destination.bytes + source.bytes + [0x08, 0x00] + ip + udp
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: Self.magic >> (8 * UInt32($0))) }
        bytes += [UInt8(truncatingIfNeeded: flow), UInt8(truncatingIfNeeded: flow >> 8)]
        bytes += [UInt8](repeating: 0, count: max(0, byteCount - bytes.count))
        template = bytes
        self.byteCount = byteCount
    }

    /// Writes the frame with this number into a packet's buffer.
    func emit(into window: MemoryWindow, sequence: UInt64) {
        window.store(template, at: 0)
        window.store64(sequence, at: Self.sequenceOffset)
    }

    /// Flow and number of a received frame; nil if it is somebody else's. Every byte is the sender's: read once.
    static func parse(_ window: MemoryWindow, byteCount: Int) -> (flow: UInt16, sequence: UInt64)? {
        guard byteCount >= shortestByteCount, window.byteCount >= shortestByteCount, window.load32(at: magicOffset) == magic else {
            return nil
        }
        return (window.load16(at: flowOffset), window.load64(at: sequenceOffset))
    }
}
