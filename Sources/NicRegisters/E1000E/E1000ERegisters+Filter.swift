/// Address and VLAN filter registers of the 82574L.
///
/// Offsets and modes: Linux drivers/net/ethernet/intel/e1000e/regs.h (E1000_NAME), and QEMU hw/net/e1000_regs.h and
/// e1000x_regs.h where a row says so. Values after reset: QEMU hw/net/e1000e_core.c, e1000e_mac_reg_init.

extension E1000E {
    /// Multicast hash table: 4096 bits (RW). E1000_MTA.
    @inlinable public static var mta: RegisterArray<UInt32, ReadWrite> { .init(0x05200, count: 128) }
    /// Receive address bytes 0 to 3, byte 0 low (RW). E1000_RAL(n).
    @inlinable public static var ral: RegisterArray<UInt32, ReadWrite> { .init(0x05400, count: 16, stride: 0x8) }
    /// Receive address bytes 4 and 5 with valid bit (RW). E1000_RAH(n).
    @inlinable public static var rah: RegisterArray<ReceiveAddressHigh, ReadWrite> {
        .init(0x05404, count: 16, stride: 0x8)
    }
    /// VLAN filter table: one bit an id (RW). E1000_VFTA.
    @inlinable public static var vfta: RegisterArray<UInt32, ReadWrite> { .init(0x05600, count: 128) }

    /// This file's rows, in order.
    static let filterRows: [RegisterRow] = [
        RegisterRow("MTA", mta),
        RegisterRow("RAL", ral),
        RegisterRow("RAH", rah),
        RegisterRow("VFTA", vfta),
    ]
}
