/// General registers of the 82574L.
///
/// Offsets and modes: Linux drivers/net/ethernet/intel/e1000e/regs.h (E1000_NAME), and QEMU hw/net/e1000_regs.h and
/// e1000x_regs.h where a row says so. Values after reset: QEMU hw/net/e1000e_core.c, e1000e_mac_reg_init.

extension E1000E {
    /// Device Control (RW). E1000_CTRL.
    @inlinable public static var ctrl: Register<Control, ReadWrite> { .init(0x00000) }
    /// Device Status (RO); FD, SPEED and GIO_MASTER_ENABLE are computed. E1000_STATUS.
    @inlinable public static var status: Register<Status, ReadOnly> { .init(0x00008) }
    /// EEPROM and flash control (RW). E1000_EECD.
    @inlinable public static var eecd: Register<NVMControl, ReadWrite> { .init(0x00010) }
    /// NVM read (RW). E1000_EERD.
    @inlinable public static var eerd: Register<NVMRead, ReadWrite> { .init(0x00014) }
    /// Extended Device Control (RW). E1000_CTRL_EXT.
    @inlinable public static var ctrlExt: Register<ExtendedControl, ReadWrite> { .init(0x00018) }
    /// Flash access (RW). E1000_FLA.
    @inlinable public static var fla: Register<UInt32, ReadWrite> { .init(0x0001c) }
    /// PHY register access (RW). E1000_MDIC.
    @inlinable public static var mdic: Register<MDIControl, ReadWrite> { .init(0x00020) }
    /// PAUSE address, low 32 bits: 0x00c28001 (RW). E1000_FCAL, FLOW_CONTROL_ADDRESS_LOW.
    @inlinable public static var fcal: Register<UInt32, ReadWrite> { .init(0x00028) }
    /// PAUSE address, high 16 bits: 0x0100 (RW). E1000_FCAH, FLOW_CONTROL_ADDRESS_HIGH.
    @inlinable public static var fcah: Register<UInt32, ReadWrite> { .init(0x0002c) }
    /// PAUSE ethertype: 0x8808 (RW). E1000_FCT, FLOW_CONTROL_TYPE.
    @inlinable public static var fct: Register<UInt32, ReadWrite> { .init(0x00030) }
    /// VLAN ethertype, 0x8100 (RW). E1000_VET; QEMU e1000e.c init_vet.
    @inlinable public static var vet: Register<UInt32, ReadWrite> { .init(0x00038) }
    /// PAUSE time that an XOFF carries (RW). E1000_FCTTV.
    @inlinable public static var fcttv: Register<UInt32, ReadWrite> { .init(0x00170) }
    /// PAUSE refresh time (RW). QEMU E1000_FCRTV.
    @inlinable public static var fcrtv: Register<UInt32, ReadWrite> { .init(0x05f40) }
    /// LED control (RW). E1000_LEDCTL.
    @inlinable public static var ledctl: Register<LEDControl, ReadWrite> { .init(0x00e00) }
    /// Extended configuration control (RW). E1000_EXTCNF_CTRL.
    @inlinable public static var extcnfCtrl: Register<ExtendedConfiguration, ReadWrite> { .init(0x00f00) }
    /// Extended configuration size (RW). E1000_EXTCNF_SIZE.
    @inlinable public static var extcnfSize: Register<UInt32, ReadWrite> { .init(0x00f08) }
    /// PHY OEM bits (RW). E1000_POEMB.
    @inlinable public static var poemb: Register<UInt32, ReadWrite> { .init(0x00f10) }
    /// Packet buffer allocation (RW). E1000_PBA.
    @inlinable public static var pba: Register<PacketBufferAllocation, ReadWrite> { .init(0x01000) }
    /// Packet buffer size in KiB (RW). E1000_PBS.
    @inlinable public static var pbs: Register<UInt32, ReadWrite> { .init(0x01008) }
    /// Management NVM control (RW). E1000_EEMNGCTL.
    @inlinable public static var eemngctl: Register<ManagementNVMControl, ReadWrite> { .init(0x01010) }
    /// NVM write (RW). E1000_EEWR.
    @inlinable public static var eewr: Register<NVMRead, ReadWrite> { .init(0x0102c) }
    /// Wake-up control (RW). E1000_WUC.
    @inlinable public static var wuc: Register<WakeUpControl, ReadWrite> { .init(0x05800) }
    /// Wake-up filters (RW). E1000_WUFC.
    @inlinable public static var wufc: Register<WakeUpFilter, ReadWrite> { .init(0x05808) }
    /// Wake-up status (RO). E1000_WUS.
    @inlinable public static var wus: Register<WakeUpFilter, ReadOnly> { .init(0x05810) }
    /// Management control (RW). E1000_MANC.
    @inlinable public static var manc: Register<ManagementControl, ReadWrite> { .init(0x05820) }
    /// Management frames to the host (RW). E1000_MANC2H.
    @inlinable public static var manc2h: Register<UInt32, ReadWrite> { .init(0x05860) }
    /// PCIe control (RW). E1000_GCR.
    @inlinable public static var gcr: Register<PCIeControl, ReadWrite> { .init(0x05b00) }
    /// Function active and power state (RO). E1000_FACTPS.
    @inlinable public static var factps: Register<FunctionPower, ReadOnly> { .init(0x05b30) }
    /// Software semaphore (RW): a read takes it. E1000_SWSM.
    @inlinable public static var swsm: Register<SoftwareSemaphore, ReadWrite> { .init(0x05b50) }
    /// Firmware semaphore (RO for drivers). E1000_FWSM.
    @inlinable public static var fwsm: Register<UInt32, ReadOnly> { .init(0x05b54) }
    /// Second software semaphore (RW). E1000_SWSM2.
    @inlinable public static var swsm2: Register<SoftwareSemaphore2, ReadWrite> { .init(0x05b58) }
    /// Locks between software and firmware (RW). E1000_SW_FW_SYNC.
    @inlinable public static var swFwSync: Register<ResourceSync, ReadWrite> { .init(0x05b5c) }
    /// PCIe control 2 (RW). E1000_GCR2.
    @inlinable public static var gcr2: Register<PCIeControl2, ReadWrite> { .init(0x05b64) }

    /// This file's rows, in order.
    static let generalRows: [RegisterRow] = [
        RegisterRow("CTRL", ctrl, reset: 0x00140241),
        RegisterRow("STATUS", status, reset: 0x00000202),
        RegisterRow("EECD", eecd, reset: 0x00000300),
        RegisterRow("EERD", eerd, reset: 0x00000002),
        RegisterRow("CTRL_EXT", ctrlExt),
        RegisterRow("FLA", fla),
        RegisterRow("MDIC", mdic),
        RegisterRow("FCAL", fcal),
        RegisterRow("FCAH", fcah),
        RegisterRow("FCT", fct),
        RegisterRow("VET", vet, reset: 0x00008100),
        RegisterRow("FCTTV", fcttv),
        RegisterRow("FCRTV", fcrtv),
        RegisterRow("LEDCTL", ledctl, reset: 0x00068302),
        RegisterRow("EXTCNF_CTRL", extcnfCtrl, reset: 0x00000008),
        RegisterRow("EXTCNF_SIZE", extcnfSize),
        RegisterRow("POEMB", poemb, reset: 0x0000030d),
        RegisterRow("PBA", pba, reset: 0x00140014),
        RegisterRow("PBS", pbs, reset: 0x00000028),
        RegisterRow("EEMNGCTL", eemngctl, reset: 0x80000000),
        RegisterRow("EEWR", eewr, reset: 0x00000002),
        RegisterRow("WUC", wuc),
        RegisterRow("WUFC", wufc),
        RegisterRow("WUS", wus),
        RegisterRow("MANC", manc, reset: 0x10000000),
        RegisterRow("MANC2H", manc2h),
        RegisterRow("GCR", gcr, reset: 0x06800200),
        RegisterRow("FACTPS", factps, reset: 0x20000004),
        RegisterRow("SWSM", swsm, safeToRead: false),
        RegisterRow("FWSM", fwsm),
        RegisterRow("SWSM2", swsm2),
        RegisterRow("SW_FW_SYNC", swFwSync),
        RegisterRow("GCR2", gcr2),
    ]
}
