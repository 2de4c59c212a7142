/// Receive registers of the 82574L.
///
/// Offsets and modes: Linux drivers/net/ethernet/intel/e1000e/regs.h (E1000_NAME), and QEMU hw/net/e1000_regs.h and
/// e1000x_regs.h where a row says so. Values after reset: QEMU hw/net/e1000e_core.c, e1000e_mac_reg_init.

extension E1000E {
    /// Receive control (RW). E1000_RCTL.
    @inlinable public static var rctl: Register<ReceiveControl, ReadWrite> { .init(0x00100) }
    /// Early receive threshold (RW). E1000_ERT.
    @inlinable public static var ert: Register<UInt32, ReadWrite> { .init(0x02008) }
    /// XON threshold (RW). E1000_FCRTL.
    @inlinable public static var fcrtl: Register<FlowThresholdLow, ReadWrite> { .init(0x02160) }
    /// XOFF threshold (RW). E1000_FCRTH.
    @inlinable public static var fcrth: Register<FlowThresholdHigh, ReadWrite> { .init(0x02168) }
    /// Packet split control (RW). E1000_PSRCTL.
    @inlinable public static var psrctl: Register<PacketSplitControl, ReadWrite> { .init(0x02170) }
    /// Ring base, low 32 bits, 16-byte aligned; a row a queue (RW). E1000_RDBAL(n).
    @inlinable public static var rdbal: RegisterArray<UInt32, ReadWrite> { .init(0x02800, count: 2, stride: 0x100) }
    /// Ring base, high 32 bits (RW). E1000_RDBAH(n).
    @inlinable public static var rdbah: RegisterArray<UInt32, ReadWrite> { .init(0x02804, count: 2, stride: 0x100) }
    /// Ring length in bytes, a multiple of 128 (RW). E1000_RDLEN(n).
    @inlinable public static var rdlen: RegisterArray<UInt32, ReadWrite> { .init(0x02808, count: 2, stride: 0x100) }
    /// Ring head: next descriptor that the device fills (RW). E1000_RDH(n).
    @inlinable public static var rdh: RegisterArray<UInt32, ReadWrite> { .init(0x02810, count: 2, stride: 0x100) }
    /// Ring tail: one beyond the last descriptor given to the device (RW). E1000_RDT(n).
    @inlinable public static var rdt: RegisterArray<UInt32, ReadWrite> { .init(0x02818, count: 2, stride: 0x100) }
    /// Receive interrupt delay (RW). E1000_RDTR.
    @inlinable public static var rdtr: Register<DelayTimer, ReadWrite> { .init(0x02820) }
    /// Receive descriptor control (RW). E1000_RXDCTL(n).
    @inlinable public static var rxdctl: RegisterArray<ReceiveDescriptorControl, ReadWrite> {
        .init(0x02828, count: 2, stride: 0x100)
    }
    /// Receive absolute interrupt delay, units of 1.024 µs (RW). E1000_RADV.
    @inlinable public static var radv: Register<UInt32, ReadWrite> { .init(0x0282c) }
    /// Frames up to this many bytes raise SRPD; 12 bits (RW). QEMU E1000_RSRPD.
    @inlinable public static var rsrpd: Register<UInt32, ReadWrite> { .init(0x02c00) }
    /// Delay of ACK interrupts, units of 1.024 µs (RW). QEMU E1000_RAID.
    @inlinable public static var raid: Register<UInt32, ReadWrite> { .init(0x02c08) }
    /// Receive checksum control (RW). E1000_RXCSUM.
    @inlinable public static var rxcsum: Register<ReceiveChecksumControl, ReadWrite> { .init(0x05000) }
    /// Receive filter control (RW). E1000_RFCTL.
    @inlinable public static var rfctl: Register<ReceiveFilterControl, ReadWrite> { .init(0x05008) }
    /// RSS control (RW). E1000_MRQC.
    @inlinable public static var mrqc: Register<MultipleQueuesControl, ReadWrite> { .init(0x05818) }
    /// RSS redirection: four entries a row, bit 7 of each is the queue (RW). E1000_RETA(n).
    @inlinable public static var reta: RegisterArray<UInt32, ReadWrite> { .init(0x05c00, count: 32) }
    /// RSS key, 40 bytes (RW). E1000_RSSRK(n).
    @inlinable public static var rssrk: RegisterArray<UInt32, ReadWrite> { .init(0x05c80, count: 10) }

    /// This file's rows, in order.
    static let receiveRows: [RegisterRow] = [
        RegisterRow("RCTL", rctl),
        RegisterRow("ERT", ert),
        RegisterRow("FCRTL", fcrtl),
        RegisterRow("FCRTH", fcrth),
        RegisterRow("PSRCTL", psrctl, reset: 0x00040402),
        RegisterRow("RDBAL", rdbal),
        RegisterRow("RDBAH", rdbah),
        RegisterRow("RDLEN", rdlen),
        RegisterRow("RDH", rdh),
        RegisterRow("RDT", rdt),
        RegisterRow("RDTR", rdtr),
        RegisterRow("RXDCTL", rxdctl, reset: 0x00010000),
        RegisterRow("RADV", radv),
        RegisterRow("RSRPD", rsrpd),
        RegisterRow("RAID", raid),
        RegisterRow("RXCSUM", rxcsum, reset: 0x00000300),
        RegisterRow("RFCTL", rfctl),
        RegisterRow("MRQC", mrqc),
        RegisterRow("RETA", reta),
        RegisterRow("RSSRK", rssrk),
    ]
}
