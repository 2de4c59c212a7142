/// Register table and descriptor layouts of the Intel 82574L Gigabit Ethernet controller, shared by its driver and its
/// device model.
///
/// Where a row cites a name alone (E1000_CTRL) it is a symbol of the Linux e1000e driver's regs.h or defines.h. What
/// those headers lack is cited with its file. See docs/families/e1000e.md.
public enum E1000E {
    /// Every row, in address groups: general, interrupt, receive, transmit, filter, statistics.
    public static let allRows: [RegisterRow] =
        generalRows + interruptRows + receiveRows + transmitRows + filterRows + statisticsRows

    /// Receive queues and transmit queues. QEMU hw/net/e1000e_core.h E1000E_NUM_QUEUES.
    @inlinable public static var queueCount: Int { 2 }

    /// Bytes of a legacy, extended, context or data descriptor. QEMU hw/net/e1000x_regs.h E1000_RING_DESC_LEN.
    @inlinable public static var descriptorByteCount: Int { 16 }

    /// A ring has a multiple of this many descriptors. REQ_TX_DESCRIPTOR_MULTIPLE, REQ_RX_DESCRIPTOR_MULTIPLE.
    @inlinable public static var ringDescriptorMultiple: Int { 8 }

    /// RDLEN and TDLEN keep these bits (bytes). QEMU hw/net/e1000_regs.h E1000_XDLEN_MASK.
    @inlinable public static var ringLengthMask: UInt32 { 0x000f_ff80 }

    /// RDBAL and TDBAL keep these bits. QEMU hw/net/e1000_regs.h E1000_XDBAL_MASK.
    @inlinable public static var ringBaseLowMask: UInt32 { 0xffff_fff0 }
}
