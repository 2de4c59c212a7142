/// Interrupt registers of the 82574L.
///
/// Offsets and modes: Linux drivers/net/ethernet/intel/e1000e/regs.h (E1000_NAME), and QEMU hw/net/e1000_regs.h and
/// e1000x_regs.h where a row says so. Values after reset: QEMU hw/net/e1000e_core.c, e1000e_mac_reg_init.

extension E1000E {
    /// Interrupt causes (RC/W1C). E1000_ICR.
    @inlinable public static var icr: Register<InterruptCause, ReadClearsOrWriteOneToClear> { .init(0x000c0) }
    /// Interrupt throttle without MSI-X (RW). E1000_ITR.
    @inlinable public static var itr: Register<InterruptThrottle, ReadWrite> { .init(0x000c4) }
    /// Interrupt cause set (WO). E1000_ICS.
    @inlinable public static var ics: Register<InterruptCause, WriteOnly> { .init(0x000c8) }
    /// Interrupt mask (RW): a one written enables, a zero leaves. E1000_IMS.
    @inlinable public static var ims: Register<InterruptCause, ReadWrite> { .init(0x000d0) }
    /// Interrupt mask clear (WO). E1000_IMC.
    @inlinable public static var imc: Register<InterruptCause, WriteOnly> { .init(0x000d8) }
    /// Causes cleared by their MSI-X message (RW): RXQ0 to OTHER. 82571.h E1000_EIAC_82574, E1000_EIAC_MASK_82574.
    @inlinable public static var eiac: Register<InterruptCause, ReadWrite> { .init(0x000dc) }
    /// Causes masked on acknowledge (RW). E1000_IAM.
    @inlinable public static var iam: Register<InterruptCause, ReadWrite> { .init(0x000e0) }
    /// MSI-X vector allocation (RW). E1000_IVAR.
    @inlinable public static var ivar: Register<InterruptVectors, ReadWrite> { .init(0x000e4) }
    /// Interrupt throttle of each MSI-X vector (RW). 82571.h E1000_EITR_82574(n).
    @inlinable public static var eitr: RegisterArray<InterruptThrottle, ReadWrite> { .init(0x000e8, count: 5) }
    /// MSI-X pending bit clear (RW). QEMU E1000_PBACLR.
    @inlinable public static var pbaclr: Register<PendingBitClear, ReadWrite> { .init(0x05b68) }

    /// This file's rows, in order.
    static let interruptRows: [RegisterRow] = [
        RegisterRow("ICR", icr),
        RegisterRow("ITR", itr),
        RegisterRow("ICS", ics),
        RegisterRow("IMS", ims),
        RegisterRow("IMC", imc),
        RegisterRow("EIAC", eiac),
        RegisterRow("IAM", iam),
        RegisterRow("IVAR", ivar),
        RegisterRow("EITR", eitr),
        RegisterRow("PBACLR", pbaclr),
    ]
}
