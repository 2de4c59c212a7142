/// PCI face of a virtual function: ids, BARs, capabilities and MSI-X.
///
/// Ids and places: QEMU hw/net/igbvf.c (igbvf_pci_realize, igbvf_class_init) and hw/net/igb_common.h, where a row does not
/// say otherwise.
extension Igbvf {
    public enum PCI {
        /// Intel.
        @inlinable public static var vendor: UInt16 { 0x8086 }
        /// E1000_DEV_ID_82576_VF.
        @inlinable public static var device: UInt16 { 0x10ca }
        /// Base class 2, subclass 0, interface 0: Ethernet controller.
        @inlinable public static var classCode: UInt32 { 0x02_0000 }

        /// BAR 0: the registers. IGBVF_MMIO_BAR_IDX, IGBVF_MMIO_SIZE.
        @inlinable public static var registerBAR: Int { 0 }
        @inlinable public static var registerByteCount: Int { 16 * 1024 }
        /// BAR 3: MSI-X table and pending bits. IGBVF_MSIX_BAR_IDX, IGBVF_MSIX_SIZE.
        @inlinable public static var msixBAR: Int { 3 }
        @inlinable public static var msixByteCount: Int { 16 * 1024 }

        /// MSI-X vectors. IGBVF_MSIX_VEC_NUM.
        @inlinable public static var msixVectorCount: Int { 3 }
        @inlinable public static var msixTableOffset: Int { 0x0000 }
        @inlinable public static var msixPendingOffset: Int { 0x2000 }

        /// Configuration space offset of the MSI-X capability.
        @inlinable public static var msixCapability: Int { 0x70 }
        /// Configuration space offset of the PCIe capability.
        @inlinable public static var pcieCapability: Int { 0xa0 }

        /// The vector of receive queue 0 and that of transmit queue 0. Linux igbvf/netdev.c igbvf_configure_msix; QEMU's
        /// igb_set_vtivar only adds bits, so that a function which another driver used keeps these two.
        @inlinable public static var receiveVector: Int { 1 }
        @inlinable public static var transmitVector: Int { 0 }
    }
}
