import DeviceMemory
import NicDriver

/// An ARP packet for IPv4 over Ethernet (RFC 826, "Packet format"), 42 bytes with its Ethernet header.
struct AddressResolution: Equatable, BitwiseCopyable {
    enum Operation: UInt16, BitwiseCopyable { case request = 1, reply = 2 }

    var operation: Operation
    var senderMAC: MACAddress
    var senderIPv4: UInt32
    var targetMAC: MACAddress
    var targetIPv4: UInt32

    static let byteCount = 42
    /// 0x0806, as a little-endian load sees it.
    static let etherType: UInt16 = 0x0608

    /// nil: another protocol, other kinds of addresses, or a sender that is nobody.
    init?(_ window: MemoryWindow, byteCount: Int) {
        guard byteCount >= Self.byteCount, byteCount <= window.byteCount, window.load16(at: 12) == Self.etherType,
            // Hardware 1 (Ethernet), protocol 0x0800, lengths 6 and 4.
            window.load64(at: 14) & 0xffff_ffff_ffff == 0x0406_0008_0100,
            let operation = Operation(rawValue: UInt16(bigEndian: window.load16(at: 20)))
        else { return nil }
        self.operation = operation
        senderMAC = Self.mac(window, at: 22)
        senderIPv4 = UInt32(bigEndian: window.load32(at: 28))
        targetMAC = Self.mac(window, at: 32)
        targetIPv4 = UInt32(bigEndian: window.load32(at: 38))
        guard !senderMAC.isMulticast, senderMAC.bits != 0 else { return nil }
    }

    init(_ operation: Operation, from local: EndpointAddress, to mac: MACAddress, ipv4: UInt32) {
        self.operation = operation
        senderMAC = local.mac
        senderIPv4 = local.ipv4
        targetMAC = mac
        targetIPv4 = ipv4
    }

    func store(into window: MemoryWindow) {
        let isRequest = operation == .request
        Self.store(isRequest ? .broadcast : targetMAC, into: window, at: 0)
        Self.store(senderMAC, into: window, at: 6)
        window.store16(Self.etherType, at: 12)
        window.store32(0x0008_0100, at: 14)
        window.store16(0x0406, at: 18)
        window.store16(operation.rawValue.bigEndian, at: 20)
        Self.store(senderMAC, into: window, at: 22)
        window.store32(senderIPv4.bigEndian, at: 28)
        Self.store(isRequest ? MACAddress(bits: 0) : targetMAC, into: window, at: 32)
        window.store32(targetIPv4.bigEndian, at: 38)
    }

    private static func mac(_ window: MemoryWindow, at offset: Int) -> MACAddress {
        MACAddress(
            bits: UInt64(UInt32(bigEndian: window.load32(at: offset))) << 16 | UInt64(UInt16(bigEndian: window.load16(at: offset + 4))))
    }

    private static func store(_ mac: MACAddress, into window: MemoryWindow, at offset: Int) {
        window.store32(UInt32(truncatingIfNeeded: mac.bits >> 16).bigEndian, at: offset)
        window.store16(UInt16(truncatingIfNeeded: mac.bits).bigEndian, at: offset + 4)
    }
}
