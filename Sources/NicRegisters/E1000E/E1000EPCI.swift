/// PCI face of the 82574L: ids, BARs, capabilities and MSI-X.
///
/// Ids: Linux drivers/net/ethernet/intel/e1000e/hw.h. BAR sizes, places of capabilities and of the MSI-X tables: QEMU
/// hw/net/e1000e.c.
extension E1000E {
    public enum PCI {
        /// Intel.
        @inlinable public static var vendor: UInt16 { 0x8086 }
        /// E1000_DEV_ID_82574L.
        @inlinable public static var device: UInt16 { 0x10d3 }
        /// E1000_DEV_ID_82574LA: the same programming.
        @inlinable public static var deviceLA: UInt16 { 0x10f6 }
        /// Base class 2, subclass 0, interface 0: Ethernet controller.
        @inlinable public static var classCode: UInt32 { 0x02_0000 }

        /// BAR 0: the registers. E1000E_MMIO_SIZE.
        @inlinable public static var registerBAR: Int { 0 }
        @inlinable public static var registerByteCount: Int { 128 * 1024 }
        /// BAR 1: flash. E1000E_FLASH_SIZE.
        @inlinable public static var flashBAR: Int { 1 }
        @inlinable public static var flashByteCount: Int { 128 * 1024 }
        /// BAR 2: I/O ports, an address and a data port. E1000E_IO_SIZE.
        @inlinable public static var ioBAR: Int { 2 }
        @inlinable public static var ioByteCount: Int { 32 }
        /// BAR 3: MSI-X table and pending bits. E1000E_MSIX_SIZE.
        @inlinable public static var msixBAR: Int { 3 }
        @inlinable public static var msixByteCount: Int { 16 * 1024 }

        /// MSI-X vectors. E1000E_MSIX_VEC_NUM.
        @inlinable public static var msixVectorCount: Int { 5 }
        /// Byte of the MSI-X BAR where the table starts. E1000E_MSIX_TABLE.
        @inlinable public static var msixTableOffset: Int { 0x0000 }
        /// Byte of the MSI-X BAR where the pending bits start. E1000E_MSIX_PBA.
        @inlinable public static var msixPendingOffset: Int { 0x2000 }

        /// Configuration space offset of the MSI-X capability. e1000e_init_msix.
        @inlinable public static var msixCapability: Int { 0xa0 }
        /// Configuration space offset of the power management capability. e1000e_pmrb_offset.
        @inlinable public static var powerCapability: Int { 0xc8 }
        /// Configuration space offset of the MSI capability. e1000e_pci_realize.
        @inlinable public static var msiCapability: Int { 0xd0 }
        /// Configuration space offset of the PCIe capability. e1000e_pcie_offset.
        @inlinable public static var pcieCapability: Int { 0xe0 }
        /// Extended configuration space offset of advanced error reporting. e1000e_aer_offset.
        @inlinable public static var errorCapability: Int { 0x100 }
        /// Extended configuration space offset of the device serial number. e1000e_dsn_offset.
        @inlinable public static var serialNumberCapability: Int { 0x140 }
    }
}
