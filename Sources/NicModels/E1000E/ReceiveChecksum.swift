import DeviceMemory
import NicRegisters

/// What the device says of a received frame's checksums: IPv4 header (RFC 791 §3.1), TCP and UDP over IPv4 and IPv6
/// (RFC 9293 §3.1, RFC 768, RFC 8200 §8.1), not in fragments and not behind IPv6 extension headers.
struct ReceiveChecksum {
    var status: E1000E.RxStatus = .ignoreChecksum
    /// IPv4 identification, with `status` saying whether there is one.
    var identification: UInt16 = 0

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
        let sum = Checksum.sum(frame, at: start, byteCount: length, seed: pseudo &+ UInt64(kind))
        if sum != 0xffff { status.insert(.tcpUDPChecksumError) }
    }
}
