/// Register table, mailbox messages and descriptor layouts of a virtual function of the Intel 82576, shared by its driver
/// and its device model.
///
/// Where a row cites a name alone (E1000_VFGPRC) it is a symbol of the Linux igbvf driver's regs.h, defines.h, mbx.h or
/// vf.h. What those headers lack is cited with its file. See docs/families/igbvf.md.
public enum Igbvf {
    /// Every row, in address order.
    public static let allRows: [RegisterRow] = generalRows + mailboxRows + statisticsRows + interruptRows + receiveRows + transmitRows

    /// Receive queues and transmit queues that a function has registers for. QEMU hw/net/igbvf.c vf_to_pf_addr.
    @inlinable public static var queueCount: Int { 2 }

    /// Bytes of an advanced descriptor. Linux igbvf/vf.h union e1000_adv_rx_desc, union e1000_adv_tx_desc.
    @inlinable public static var descriptorByteCount: Int { 16 }

    /// RDLEN and TDLEN keep these bits (bytes). QEMU hw/net/igb_core.c igb_set_dlen.
    @inlinable public static var ringLengthMask: UInt32 { 0x000f_fff0 }

    /// RDBAL and TDBAL keep these bits. QEMU hw/net/igb_regs.h E1000_XDBAL_MASK.
    @inlinable public static var ringBaseLowMask: UInt32 { 0xffff_ffe0 }

    /// The shortest frame that the device pads to 60 bytes. Linux igb/igb_main.c igb_xmit_frame: with TCTL.PSP it takes 17.
    @inlinable public static var shortestSentFrame: Int { 17 }

    /// The longest length that the PF lets a function receive, with FCS. Linux igb/e1000_defines.h MAX_JUMBO_FRAME_SIZE.
    @inlinable public static var longestReceiveLimit: UInt32 { 0x3f00 }

    /// Bytes of a frame, without FCS and tag, that pass while the PF was told no limit (VMOLR.LPE off): 1500 and an
    /// Ethernet header. QEMU hw/net/igb_core.c igb_rx_is_oversized.
    @inlinable public static var maximumShortFrame: Int { 1514 }

    /// Unicast addresses beside its own that a function asks its PF for. Linux igbvf.h IGBVF_MAX_MAC_FILTERS.
    @inlinable public static var furtherUnicastCount: Int { 3 }

    /// Received descriptors have the words of the 82574L's extended ones: E1000_RXD_STAT_*, E1000_RXDEXT_STATERR_* are the
    /// same in both drivers, and where that has the queue the 82576 has its packet type.
    public typealias RxStatus = E1000E.RxStatus
    public typealias RxReadDescriptor = E1000E.RxReadDescriptor
    public typealias RxWriteBack = E1000E.RxWriteBack
}
