/// Values of the 82574L's PCIe, wake-up and management registers.
///
/// Names and bits of GCR, FACTPS, WUC, WUFC, MANC: E1000_NAME_* of Linux
/// drivers/net/ethernet/intel/e1000e/defines.h and, where that header lacks them, of QEMU hw/net/e1000x_regs.h and
/// hw/net/e1000_regs.h. Fields give the value shifted down.

extension E1000E {
    /// PCIe control. E1000_GCR_*.
    @frozen
    public struct PCIeControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// No snoop on receive data.
        @inlinable public static var rxDataNoSnoop: Self { Self(rawValue: 1 << 0) }
        /// No snoop on receive descriptor writes.
        @inlinable public static var rxDescriptorWriteNoSnoop: Self { Self(rawValue: 1 << 1) }
        /// No snoop on receive descriptor reads.
        @inlinable public static var rxDescriptorReadNoSnoop: Self { Self(rawValue: 1 << 2) }
        /// No snoop on transmit data.
        @inlinable public static var txDataNoSnoop: Self { Self(rawValue: 1 << 3) }
        /// No snoop on transmit descriptor writes.
        @inlinable public static var txDescriptorWriteNoSnoop: Self { Self(rawValue: 1 << 4) }
        /// No snoop on transmit descriptor reads.
        @inlinable public static var txDescriptorReadNoSnoop: Self { Self(rawValue: 1 << 5) }
        /// Set by Linux on every 82574 (82571.c initialize_hw_bits).
        @inlinable public static var erratum22: Self { Self(rawValue: 1 << 22) }
        /// L1 without L0s on receive; set by Linux (82571.h, init_hw).
        @inlinable public static var l1WithoutL0s: Self { Self(rawValue: 1 << 27) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("RXD_NO_SNOOP", .rxDataNoSnoop),
                ("RXDSCW_NO_SNOOP", .rxDescriptorWriteNoSnoop),
                ("RXDSCR_NO_SNOOP", .rxDescriptorReadNoSnoop),
                ("TXD_NO_SNOOP", .txDataNoSnoop),
                ("TXDSCW_NO_SNOOP", .txDescriptorWriteNoSnoop),
                ("TXDSCR_NO_SNOOP", .txDescriptorReadNoSnoop),
                ("ERRATUM_22", .erratum22),
                ("L1_ACT_WITHOUT_L0S_RX", .l1WithoutL0s),
            ]
        }
    }

    /// PCIe control 2. 82571.c initialize_hw_bits.
    @frozen
    public struct PCIeControl2: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Set against unreliable completions with ASPM.
        @inlinable public static var completionErratum: Self { Self(rawValue: 1 << 0) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("ERRATUM_0", .completionErratum)
            ]
        }
    }

    /// Function active and power state. E1000_FACTPS_*.
    @frozen
    public struct FunctionPower: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The LAN function is on.
        @inlinable public static var lan0On: Self { Self(rawValue: 1 << 2) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("LAN0_ON", .lan0On)
            ]
        }
    }

    /// Wake-up control. E1000_WUC_*.
    @frozen
    public struct WakeUpControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// APM wake-up.
        @inlinable public static var apmEnable: Self { Self(rawValue: 1 << 0) }
        /// PME.
        @inlinable public static var pmeEnable: Self { Self(rawValue: 1 << 1) }
        /// PME was raised.
        @inlinable public static var pmeStatus: Self { Self(rawValue: 1 << 2) }
        /// PME on APM wake-up.
        @inlinable public static var apmPME: Self { Self(rawValue: 1 << 3) }
        /// Wake-up by the PHY.
        @inlinable public static var phyWake: Self { Self(rawValue: 1 << 8) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("APME", .apmEnable),
                ("PME_EN", .pmeEnable),
                ("PME_STATUS", .pmeStatus),
                ("APMPME", .apmPME),
                ("PHY_WAKE", .phyWake),
            ]
        }
    }

    /// Wake-up filters (WUFC) and what woke (WUS). E1000_WUFC_*.
    @frozen
    public struct WakeUpFilter: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Link change.
        @inlinable public static var linkChange: Self { Self(rawValue: 1 << 0) }
        /// Magic packet.
        @inlinable public static var magicPacket: Self { Self(rawValue: 1 << 1) }
        /// Directed frame.
        @inlinable public static var directedExact: Self { Self(rawValue: 1 << 2) }
        /// Multicast.
        @inlinable public static var directedMulticast: Self { Self(rawValue: 1 << 3) }
        /// Broadcast.
        @inlinable public static var broadcast: Self { Self(rawValue: 1 << 4) }
        /// ARP request.
        @inlinable public static var arp: Self { Self(rawValue: 1 << 5) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("LNKC", .linkChange),
                ("MAG", .magicPacket),
                ("EX", .directedExact),
                ("MC", .directedMulticast),
                ("BC", .broadcast),
                ("ARP", .arp),
            ]
        }
    }

    /// Management control. E1000_MANC_*.
    @frozen
    public struct ManagementControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// SMBus is on.
        @inlinable public static var smbus: Self { Self(rawValue: 1 << 0) }
        /// ASF is on.
        @inlinable public static var asf: Self { Self(rawValue: 1 << 1) }
        /// ARP request filter.
        @inlinable public static var arpFilter: Self { Self(rawValue: 1 << 13) }
        /// Receive management frames.
        @inlinable public static var receiveTCO: Self { Self(rawValue: 1 << 17) }
        /// Firmware blocks PHY resets.
        @inlinable public static var blockPHYReset: Self { Self(rawValue: 1 << 18) }
        /// MAC address filter.
        @inlinable public static var macFilter: Self { Self(rawValue: 1 << 20) }
        /// Management frames to the host too.
        @inlinable public static var managementToHost: Self { Self(rawValue: 1 << 21) }
        /// No IP address check of ARP, 82574.
        @inlinable public static var noIPCheckOnARP: Self { Self(rawValue: 1 << 28) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("SMBUS_EN", .smbus),
                ("ASF_EN", .asf),
                ("ARP_EN", .arpFilter),
                ("RCV_TCO_EN", .receiveTCO),
                ("BLK_PHY_RST_ON_IDE", .blockPHYReset),
                ("EN_MAC_ADDR_FILTER", .macFilter),
                ("EN_MNG2HOST", .managementToHost),
                ("DIS_IP_CHK_ARP", .noIPCheckOnARP),
            ]
        }
    }
}
