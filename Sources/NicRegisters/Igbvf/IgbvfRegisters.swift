/// Registers of a virtual function of the 82576, by offset in its BAR 0.
///
/// Offsets: Linux drivers/net/ethernet/intel/igbvf/regs.h (E1000_NAME), and QEMU hw/net/igb_regs.h where a row says so.
/// Values after reset: QEMU hw/net/igb_core.c, igb_mac_reg_init.

extension Igbvf {
    /// Device control (RW): the function's reset. E1000_CTRL.
    @inlinable public static var ctrl: Register<Control, ReadWrite> { .init(0x00000) }
    /// Device status (RO): the port's link. E1000_STATUS.
    @inlinable public static var status: Register<Status, ReadOnly> { .init(0x00008) }

    /// This file's rows, in order.
    static let generalRows: [RegisterRow] = [
        RegisterRow("CTRL", ctrl),
        RegisterRow("STATUS", status),
    ]

    /// Mailbox memory: 16 words that both sides read and write (RW). E1000_VMBMEM(0).
    @inlinable public static var vmbmem: RegisterArray<UInt32, ReadWrite> { .init(0x00800, count: 16) }
    /// Mailbox between the function and its PF (RW, some bits RC). E1000_V2PMAILBOX(0).
    @inlinable public static var v2pmailbox: Register<Mailbox, ReadWrite> { .init(0x00c40) }

    static let mailboxRows: [RegisterRow] = [
        RegisterRow("VMBMEM", vmbmem, safeToRead: false),
        RegisterRow("V2PMAILBOX", v2pmailbox, reset: 0x40, safeToRead: false),
    ]

    /// Good packets received: counts on past 2^32, no read clears it (RO). E1000_VFGPRC.
    @inlinable public static var vfgprc: Register<UInt32, ReadOnly> { .init(0x00f10) }
    /// Good packets transmitted (RO). E1000_VFGPTC.
    @inlinable public static var vfgptc: Register<UInt32, ReadOnly> { .init(0x00f14) }
    /// Good octets received (RO). E1000_VFGORC.
    @inlinable public static var vfgorc: Register<UInt32, ReadOnly> { .init(0x00f18) }
    /// Good octets transmitted (RO). E1000_VFGOTC.
    @inlinable public static var vfgotc: Register<UInt32, ReadOnly> { .init(0x00f34) }
    /// Multicast packets received (RO). E1000_VFMPRC.
    @inlinable public static var vfmprc: Register<UInt32, ReadOnly> { .init(0x00f3c) }

    static let statisticsRows: [RegisterRow] = [
        RegisterRow("VFGPRC", vfgprc),
        RegisterRow("VFGPTC", vfgptc),
        RegisterRow("VFGORC", vfgorc),
        RegisterRow("VFGOTC", vfgotc),
        RegisterRow("VFMPRC", vfmprc),
    ]

    /// Vectors whose interrupt is set (WO). E1000_EICS.
    @inlinable public static var eics: Register<VectorSet, WriteOnly> { .init(0x01520) }
    /// Vectors that may interrupt (RW): a one written enables, a zero leaves. E1000_EIMS.
    @inlinable public static var eims: Register<VectorSet, ReadWrite> { .init(0x01524) }
    /// Vectors that may not (WO). E1000_EIMC.
    @inlinable public static var eimc: Register<VectorSet, WriteOnly> { .init(0x01528) }
    /// Vectors whose cause their message clears (RW). E1000_EIAC.
    @inlinable public static var eiac: Register<VectorSet, ReadWrite> { .init(0x0152c) }
    /// Vectors that their message masks (RW). E1000_EIAM.
    @inlinable public static var eiam: Register<VectorSet, ReadWrite> { .init(0x01530) }
    /// Vectors whose cause is set (RC/W1C). E1000_EICR.
    @inlinable public static var eicr: Register<VectorSet, ReadClearsOrWriteOneToClear> { .init(0x01580) }
    /// Throttle of each vector (RW). E1000_EITR(n).
    @inlinable public static var eitr: RegisterArray<InterruptThrottle, ReadWrite> { .init(0x01680, count: 3) }
    /// Vector of each queue (RW). E1000_IVAR0; QEMU E1000_VTIVAR.
    @inlinable public static var vtivar: Register<VectorAllocation, ReadWrite> { .init(0x01700) }
    /// Vector of the mailbox (RW). E1000_IVAR_MISC; QEMU E1000_VTIVAR_MISC.
    @inlinable public static var vtivarMisc: Register<VectorAllocation, ReadWrite> { .init(0x01740) }

    static let interruptRows: [RegisterRow] = [
        RegisterRow("EICS", eics),
        RegisterRow("EIMS", eims),
        RegisterRow("EIMC", eimc),
        RegisterRow("EIAC", eiac),
        RegisterRow("EIAM", eiam),
        RegisterRow("EICR", eicr),
        RegisterRow("EITR", eitr),
        RegisterRow("VTIVAR", vtivar),
        RegisterRow("VTIVAR_MISC", vtivarMisc),
    ]

    /// Ring base, low 32 bits; a row a queue (RW). E1000_RDBAL(n).
    @inlinable public static var rdbal: RegisterArray<UInt32, ReadWrite> { .init(0x02800, count: 2, stride: 0x100) }
    /// Ring base, high 32 bits (RW). E1000_RDBAH(n).
    @inlinable public static var rdbah: RegisterArray<UInt32, ReadWrite> { .init(0x02804, count: 2, stride: 0x100) }
    /// Ring length in bytes (RW). E1000_RDLEN(n).
    @inlinable public static var rdlen: RegisterArray<UInt32, ReadWrite> { .init(0x02808, count: 2, stride: 0x100) }
    /// Split and replication receive control: buffer size and descriptor format (RW). E1000_SRRCTL(n).
    @inlinable public static var srrctl: RegisterArray<SplitControl, ReadWrite> { .init(0x0280c, count: 2, stride: 0x100) }
    /// Ring head: next descriptor that the device fills (RW). E1000_RDH(n).
    @inlinable public static var rdh: RegisterArray<UInt32, ReadWrite> { .init(0x02810, count: 2, stride: 0x100) }
    /// Ring tail: one beyond the last descriptor given to the device (RW). E1000_RDT(n).
    @inlinable public static var rdt: RegisterArray<UInt32, ReadWrite> { .init(0x02818, count: 2, stride: 0x100) }
    /// Receive descriptor control: the queue's switch (RW). E1000_RXDCTL(n).
    @inlinable public static var rxdctl: RegisterArray<QueueControl, ReadWrite> { .init(0x02828, count: 2, stride: 0x100) }

    static let receiveRows: [RegisterRow] = [
        RegisterRow("RDBAL", rdbal),
        RegisterRow("RDBAH", rdbah),
        RegisterRow("RDLEN", rdlen),
        RegisterRow("SRRCTL", srrctl),
        RegisterRow("RDH", rdh),
        RegisterRow("RDT", rdt),
        RegisterRow("RXDCTL", rxdctl, reset: 0x0001_0000),
    ]

    /// Ring base, low 32 bits; a row a queue (RW). E1000_TDBAL(n).
    @inlinable public static var tdbal: RegisterArray<UInt32, ReadWrite> { .init(0x03800, count: 2, stride: 0x100) }
    /// Ring base, high 32 bits (RW). E1000_TDBAH(n).
    @inlinable public static var tdbah: RegisterArray<UInt32, ReadWrite> { .init(0x03804, count: 2, stride: 0x100) }
    /// Ring length in bytes (RW). E1000_TDLEN(n).
    @inlinable public static var tdlen: RegisterArray<UInt32, ReadWrite> { .init(0x03808, count: 2, stride: 0x100) }
    /// Ring head: next descriptor that the device takes (RW). E1000_TDH(n).
    @inlinable public static var tdh: RegisterArray<UInt32, ReadWrite> { .init(0x03810, count: 2, stride: 0x100) }
    /// Order of writes on the bus (RW). E1000_DCA_TXCTRL(n).
    @inlinable public static var txctrl: RegisterArray<TransmitBusControl, ReadWrite> { .init(0x03814, count: 2, stride: 0x100) }
    /// Ring tail: one beyond the last descriptor given to the device (RW). E1000_TDT(n).
    @inlinable public static var tdt: RegisterArray<UInt32, ReadWrite> { .init(0x03818, count: 2, stride: 0x100) }
    /// Transmit descriptor control: the queue's switch (RW). E1000_TXDCTL(n).
    @inlinable public static var txdctl: RegisterArray<QueueControl, ReadWrite> { .init(0x03828, count: 2, stride: 0x100) }

    static let transmitRows: [RegisterRow] = [
        RegisterRow("TDBAL", tdbal),
        RegisterRow("TDBAH", tdbah),
        RegisterRow("TDLEN", tdlen),
        RegisterRow("TDH", tdh),
        RegisterRow("TXCTRL", txctrl, reset: 0x2a00),
        RegisterRow("TDT", tdt),
        RegisterRow("TXDCTL", txdctl),
    ]
}
