/// What driver and model must compute alike to filter received frames.
extension E1000E {
    /// Bit of the multicast table for an address: its last two bytes, by RCTL.multicastOffset (0 to 3). 12 bits: the
    /// upper
    /// seven choose the row of MTA, the lower five the bit. Linux drivers/net/ethernet/intel/e1000e/mac.c
    /// (e1000_hash_mc_addr).
    @inlinable
    public static func multicastHash(byte4: UInt8, byte5: UInt8, multicastOffset: UInt32) -> UInt32 {
        let lastBytes = UInt32(byte5) &<< 8 | UInt32(byte4)
        let shift: UInt32 =
            switch multicastOffset & 3 {
            case 0: 4
            case 1: 3
            case 2: 2
            default: 0
            }
        return (lastBytes &>> shift) & 0xfff
    }

    /// Row of MTA or VFTA and mask in it, for a multicast hash or a VLAN id. E1000_VFTA_ENTRY_SHIFT, _MASK.
    @inlinable
    public static func tableBit(_ number: UInt32) -> (row: Int, mask: UInt32) {
        (Int(truncatingIfNeeded: (number &>> 5) & 0x7f), 1 &<< (number & 0x1f))
    }

    /// Bytes of a frame without its CRC beyond which it is dropped, RCTL.longPackets off. QEMU hw/net/e1000x_common.c
    /// (e1000x_is_oversized): 1500 with Ethernet header and one tag.
    @inlinable public static var maximumShortFrame: Int { 1518 }
    /// The same with RCTL.longPackets on: 16 KiB less the CRC.
    @inlinable public static var maximumLongFrame: Int { 16380 }
}

extension E1000E.ReceiveControl {
    /// Bytes of each receive buffer. QEMU hw/net/e1000x_common.c (e1000x_rxbufsize), e1000e_core.c (FLXBUF).
    public var bufferByteCount: Int {
        if flexibleBuffer != 0 { return Int(truncatingIfNeeded: flexibleBuffer) &* 1024 }
        switch (contains(.bufferSizeExtension), bufferSize) {
        case (false, 1): return 1024
        case (false, 2): return 512
        case (false, 3): return 256
        case (true, 1): return 16384
        case (true, 2): return 8192
        case (true, 3): return 4096
        default: return 2048
        }
    }

    /// Chooses the buffer size; nil when the device has no such size.
    public static func bufferSize(byteCount: Int) -> Self? {
        var control = Self(rawValue: 0)
        switch byteCount {
        case 256: control.bufferSize = 3
        case 512: control.bufferSize = 2
        case 1024: control.bufferSize = 1
        case 2048: control.bufferSize = 0
        case 4096, 8192, 16384:
            control = .bufferSizeExtension
            control.bufferSize = byteCount == 4096 ? 3 : byteCount == 8192 ? 2 : 1
        case let bytes where bytes.isMultiple(of: 1024) && (1024...15360).contains(bytes):
            control.flexibleBuffer = UInt32(truncatingIfNeeded: bytes / 1024)
        default: return nil
        }
        return control
    }
}

extension E1000E.ReceiveAddressHigh {
    /// Both registers of an entry for an address of 6 bytes. Linux mac.c (e1000e_rar_set_generic).
    @inlinable
    public static func entry(
        ofMAC mac: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8)
    ) -> (low: UInt32, high: Self) {
        var high: Self = .valid
        high.address = UInt32(mac.4) | UInt32(mac.5) &<< 8
        return (UInt32(mac.0) | UInt32(mac.1) &<< 8 | UInt32(mac.2) &<< 16 | UInt32(mac.3) &<< 24, high)
    }
}
