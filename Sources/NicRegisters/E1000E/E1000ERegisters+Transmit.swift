/// Transmit registers of the 82574L.
///
/// Offsets and modes: Linux drivers/net/ethernet/intel/e1000e/regs.h (E1000_NAME), and QEMU hw/net/e1000_regs.h and
/// e1000x_regs.h where a row says so. Values after reset: QEMU hw/net/e1000e_core.c, e1000e_mac_reg_init.

extension E1000E {
    /// Transmit control (RW). E1000_TCTL.
    @inlinable public static var tctl: Register<TransmitControl, ReadWrite> { .init(0x00400) }
    /// Inter-packet gap (RW). E1000_TIPG.
    @inlinable public static var tipg: Register<InterPacketGap, ReadWrite> { .init(0x00410) }
    /// Adaptive interframe spacing (RW). E1000_AIT.
    @inlinable public static var ait: Register<UInt32, ReadWrite> { .init(0x00458) }
    /// Ring base, low 32 bits, 16-byte aligned; a row a queue (RW). E1000_TDBAL(n).
    @inlinable public static var tdbal: RegisterArray<UInt32, ReadWrite> { .init(0x03800, count: 2, stride: 0x100) }
    /// Ring base, high 32 bits (RW). E1000_TDBAH(n).
    @inlinable public static var tdbah: RegisterArray<UInt32, ReadWrite> { .init(0x03804, count: 2, stride: 0x100) }
    /// Ring length in bytes, a multiple of 128 (RW). E1000_TDLEN(n).
    @inlinable public static var tdlen: RegisterArray<UInt32, ReadWrite> { .init(0x03808, count: 2, stride: 0x100) }
    /// Ring head: next descriptor that the device takes (RW). E1000_TDH(n).
    @inlinable public static var tdh: RegisterArray<UInt32, ReadWrite> { .init(0x03810, count: 2, stride: 0x100) }
    /// Ring tail: one beyond the last descriptor given to the device (RW). E1000_TDT(n).
    @inlinable public static var tdt: RegisterArray<UInt32, ReadWrite> { .init(0x03818, count: 2, stride: 0x100) }
    /// Transmit interrupt delay (RW). E1000_TIDV.
    @inlinable public static var tidv: Register<DelayTimer, ReadWrite> { .init(0x03820) }
    /// Transmit descriptor control (RW). E1000_TXDCTL(n).
    @inlinable public static var txdctl: RegisterArray<TransmitDescriptorControl, ReadWrite> {
        .init(0x03828, count: 2, stride: 0x100)
    }
    /// Transmit absolute interrupt delay, units of 1.024 µs (RW). E1000_TADV.
    @inlinable public static var tadv: Register<UInt32, ReadWrite> { .init(0x0382c) }
    /// Transmit arbitration (RW). E1000_TARC(n).
    @inlinable public static var tarc: RegisterArray<TransmitArbitration, ReadWrite> {
        .init(0x03840, count: 2, stride: 0x100)
    }

    /// This file's rows, in order.
    static let transmitRows: [RegisterRow] = [
        RegisterRow("TCTL", tctl),
        RegisterRow("TIPG", tipg, reset: 0x00602008),
        RegisterRow("AIT", ait),
        RegisterRow("TDBAL", tdbal),
        RegisterRow("TDBAH", tdbah),
        RegisterRow("TDLEN", tdlen),
        RegisterRow("TDH", tdh),
        RegisterRow("TDT", tdt),
        RegisterRow("TIDV", tidv),
        RegisterRow("TXDCTL", txdctl),
        RegisterRow("TADV", tadv),
        RegisterRow("TARC", tarc, reset: 0x00000403),
    ]
}
