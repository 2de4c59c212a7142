import DeviceMemory
import NicRegisters

/// What the device says of a received frame's checksums: IPv4 header (RFC 791 §3.1), TCP and UDP over IPv4 and IPv6
/// (RFC 9293 §3.1, RFC 768, RFC 8200 §8.1), not in fragments and not behind IPv6 extension headers.
struct ReceiveChecksum {
    var status: E1000E.RxStatus = .ignoreChecksum
    /// IPv4 identification, with `status` saying whether there is one.
    var identification: UInt16 = 0
    /// What the sum of a TCP segment or UDP datagram is to be taken of; nil if it is taken, or needs not to be.
    private(set) var datagram: Datagram?

    struct Datagram {
        /// Both inside of the frame.
        let start: Int, byteCount: Int
        /// The pseudo header's part of the sum.
        fileprivate let seed: UInt64
    }

    /// Looks at the headers; ``sum(_:)`` or ``copy(_:to:)`` has to follow.
    /// - Parameters:
    ///   - frame: without FCS and, if `network` is 14, without a tag.
    ///   - network: where the network header starts.
    @inline(__always)
    init(_ frame: MemoryWindow, etherType: UInt16, network: Int, checksIP: Bool, checksTransport: Bool) {
        switch etherType {
        case 0x0800: parseIPv4(frame, network, checksIP, checksTransport)
        case 0x86dd: parseIPv6(frame, network, checksTransport)
        default: break
        }
    }

    /// Every length is judged against the frame before it is used.
    private mutating func parseIPv4(_ frame: MemoryWindow, _ start: Int, _ checksIP: Bool, _ checksTransport: Bool) {
        guard frame.byteCount - start >= 20 else { return }
        let first = frame.load8(at: start)
        let headerByteCount = Int(first & 0xf) * 4
        let total = Int(frame.load16(at: start + 2).byteSwapped)
        guard first >> 4 == 4, headerByteCount >= 20, total >= headerByteCount, total <= frame.byteCount - start else { return }
        identification = frame.load16(at: start + 4).byteSwapped
        status.insert(.ipIdentificationValid)
        if checksIP {
            status.remove(.ignoreChecksum)
            status.insert(.ipChecksumChecked)
            if Checksum.sum(frame, at: start, byteCount: headerByteCount) != 0xffff { status.insert(.ipChecksumError) }
        }
        let isFragment = frame.load16(at: start + 6).byteSwapped & 0x3fff != 0
        guard checksTransport, !isFragment else { return }
        let length = total - headerByteCount
        let pseudo = pseudoSum(frame, addresses: start + 12, byteCount: 8, length: length)
        checkTransport(frame, start + headerByteCount, length, frame.load8(at: start + 9), pseudo)
    }

    private mutating func parseIPv6(_ frame: MemoryWindow, _ start: Int, _ checksTransport: Bool) {
        guard checksTransport, frame.byteCount - start >= 40, frame.load8(at: start) >> 4 == 6 else { return }
        let length = Int(frame.load16(at: start + 4).byteSwapped)
        guard length <= frame.byteCount - start - 40 else { return }
        let pseudo = pseudoSum(frame, addresses: start + 8, byteCount: 32, length: length)
        checkTransport(frame, start + 40, length, frame.load8(at: start + 6), pseudo)
    }

    @inline(__always)
    private func pseudoSum(_ frame: MemoryWindow, addresses: Int, byteCount: Int, length: Int) -> UInt64 {
        UInt64(Checksum.sum(frame, at: addresses, byteCount: byteCount, seed: UInt64(length)))
    }

    private mutating func checkTransport(_ frame: MemoryWindow, _ start: Int, _ length: Int, _ kind: UInt8, _ pseudo: UInt64) {
        switch kind {
        case 6 where length >= 20: status.insert(.tcpChecksumChecked)
        case 17 where length >= 8:
            // Zero: the sender made none.
            guard frame.load16(at: start + 6) != 0 else { return }
            status.insert([.tcpChecksumChecked, .udpChecksumChecked])
        default: return
        }
        status.remove(.ignoreChecksum)
        datagram = Datagram(start: start, byteCount: length, seed: pseudo &+ UInt64(kind))
    }

    /// Sums what is to be summed.
    mutating func sum(_ frame: MemoryWindow) {
        guard let part = datagram else { return }
        judge(frame.onesComplementSum(at: part.start, byteCount: part.byteCount))
    }

    /// Copies the frame, and sums on the way what is to be summed: each byte is read once.
    /// - Parameter target: as long as the frame.
    @inline(__always)
    mutating func copy(_ frame: MemoryWindow, to target: MemoryWindow) {
        guard let part = datagram else { return frame.copy(at: 0, byteCount: frame.byteCount, to: target, at: 0) }
        frame.copy(at: 0, byteCount: part.start, to: target, at: 0)
        judge(frame.copySumming(at: part.start, byteCount: part.byteCount, to: target, at: part.start))
        let rest = part.start &+ part.byteCount
        if rest < frame.byteCount { frame.copy(at: rest, byteCount: frame.byteCount &- rest, to: target, at: rest) }
    }

    /// - Parameter sum: of the datagram, in memory's byte order.
    private mutating func judge(_ sum: UInt16) {
        guard let part = datagram else { return }
        datagram = nil
        if Checksum.fold(UInt64(sum.byteSwapped) &+ part.seed) != 0xffff { status.insert(.tcpUDPChecksumError) }
    }
}
