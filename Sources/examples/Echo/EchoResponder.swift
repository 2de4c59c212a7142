public import DeviceMemory
public import NicDriver

/// Turns a request into its answer, in place. Pure logic over bytes that anybody on the wire may have written: every
/// number is read once, judged, then used.
public struct EchoResponder: Sendable {
    public enum Answer: Equatable, Sendable { case arpReply, echoReply, ignored, malformed }

    private let mac: MACAddress
    private let address: IPv4Address

    public init(mac: MACAddress, address: IPv4Address) {
        self.mac = mac
        self.address = address
    }

    // Offsets in the frame. Ethernet: IEEE 802.3.
    private enum Ethernet {
        static let destination = 0, source = 6, type = 12, headerByteCount = 14
        static let ipv4: UInt16 = 0x0800
        static let arp: UInt16 = 0x0806
    }

    /// - Parameters:
    ///   - window: the frame's buffer; rewritten to the answer if there is one.
    ///   - byteCount: of the frame, without FCS; the answer is as long.
    public func answer(_ window: MemoryWindow, byteCount: Int) -> Answer {
        guard byteCount >= Ethernet.headerByteCount, byteCount <= window.byteCount else { return .malformed }
        switch window.big16(at: Ethernet.type) {
        case Ethernet.arp: return answerARP(window, byteCount: byteCount)
        case Ethernet.ipv4:
            guard window.address(at: Ethernet.destination) == mac else { return .ignored }
            return answerIPv4(window, byteCount: byteCount)
        default: return .ignored
        }
    }

    /// RFC 826, packet format and packet reception: swap the two pairs, put our address in, send it to the asker.
    private func answerARP(_ window: MemoryWindow, byteCount: Int) -> Answer {
        let arp = Ethernet.headerByteCount
        guard byteCount >= arp + 28 else { return .malformed }
        let hardware = window.big16(at: arp), network = window.big16(at: arp + 2)
        let lengths = window.big16(at: arp + 4), operation = window.big16(at: arp + 6)
        guard hardware == 1, network == Ethernet.ipv4, lengths == 0x0604, operation == 1 else { return .ignored }
        let asker = window.address(at: arp + 8), askerIP = window.big32(at: arp + 14), target = window.big32(at: arp + 24)
        guard target == address.bits else { return .ignored }
        guard !asker.isMulticast, asker.bits != 0 else { return .malformed }
        window.store16(UInt16(2).bigEndian, at: arp + 6)
        window.store(mac, at: arp + 8)
        window.store32(address.bits.bigEndian, at: arp + 14)
        window.store(asker, at: arp + 18)
        window.store32(askerIP.bigEndian, at: arp + 24)
        answerTo(asker, window)
        return .arpReply
    }

    /// RFC 791 §3.1: version, header length, total length, fragment fields and header checksum are judged; a fragment is not answered.
    private func answerIPv4(_ window: MemoryWindow, byteCount: Int) -> Answer {
        let ip = Ethernet.headerByteCount
        guard byteCount >= ip + 20 else { return .malformed }
        let first = window.load8(at: ip)
        let headerByteCount = Int(first & 0x0f) * 4
        let totalByteCount = Int(window.big16(at: ip + 2))
        guard first >> 4 == 4, headerByteCount >= 20, totalByteCount >= headerByteCount, ip + totalByteCount <= byteCount else {
            return .malformed
        }
        guard window.internetSum(at: ip, byteCount: headerByteCount) == 0xffff else { return .malformed }
        let sender = window.big32(at: ip + 12)
        guard window.big32(at: ip + 16) == address.bits, window.load8(at: ip + 9) == 1 else { return .ignored }
        guard window.big16(at: ip + 6) & 0x3fff == 0 else { return .ignored }
        let message = totalByteCount - headerByteCount
        guard message >= 8 else { return .malformed }
        return answerEcho(window, ip: ip, icmp: ip + headerByteCount, byteCount: message, sender: sender)
    }

    /// RFC 792, echo message: swap the addresses, type 8 becomes 0, the checksum is made anew. Code, identifier, sequence and data stay.
    private func answerEcho(_ window: MemoryWindow, ip: Int, icmp: Int, byteCount: Int, sender: UInt32) -> Answer {
        guard window.load8(at: icmp) == 8 else { return .ignored }
        guard window.internetSum(at: icmp, byteCount: byteCount) == 0xffff, window.load8(at: icmp + 1) == 0 else { return .malformed }
        let asker = window.address(at: Ethernet.source)
        guard !asker.isMulticast, asker.bits != 0 else { return .malformed }
        window.store8(0, at: icmp)
        window.store16(0, at: icmp + 2)
        window.store16((~window.internetSum(at: icmp, byteCount: byteCount)).bigEndian, at: icmp + 2)
        // Exchanging the two addresses leaves the header's sum as it is; a fresh time to live changes it.
        window.store8(64, at: ip + 8)
        window.store32(address.bits.bigEndian, at: ip + 12)
        window.store32(sender.bigEndian, at: ip + 16)
        window.store16(0, at: ip + 10)
        window.store16((~window.internetSum(at: ip, byteCount: icmp - ip)).bigEndian, at: ip + 10)
        answerTo(asker, window)
        return .echoReply
    }

    private func answerTo(_ asker: MACAddress, _ window: MemoryWindow) {
        window.store(asker, at: Ethernet.destination)
        window.store(mac, at: Ethernet.source)
    }
}

// Network byte order.
extension MemoryWindow {
    fileprivate func big16(at offset: Int) -> UInt16 { UInt16(bigEndian: load16(at: offset)) }
    fileprivate func big32(at offset: Int) -> UInt32 { UInt32(bigEndian: load32(at: offset)) }

    fileprivate func address(at offset: Int) -> MACAddress {
        MACAddress(bits: UInt64(big32(at: offset)) << 16 | UInt64(big16(at: offset + 4)))
    }

    fileprivate func store(_ address: MACAddress, at offset: Int) {
        store32(UInt32(truncatingIfNeeded: address.bits >> 16).bigEndian, at: offset)
        store16(UInt16(truncatingIfNeeded: address.bits).bigEndian, at: offset + 4)
    }

    /// The one's complement sum of RFC 1071 §1 over 16-bit words, an odd last byte padded with zero; 0xffff over a correct header.
    func internetSum(at offset: Int, byteCount: Int) -> UInt16 {
        var sum: UInt64 = 0
        var at = offset
        let end = offset + byteCount
        while at + 4 <= end {
            sum &+= UInt64(big32(at: at))
            at += 4
        }
        if at + 2 <= end {
            sum &+= UInt64(big16(at: at))
            at += 2
        }
        if at < end { sum &+= UInt64(load8(at: at)) << 8 }
        while sum >> 16 != 0 { sum = sum & 0xffff &+ sum >> 16 }
        return UInt16(truncatingIfNeeded: sum)
    }
}
