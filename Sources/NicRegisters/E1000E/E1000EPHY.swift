/// PHY of the 82574L, reached through MDIC at PHY address 1.
///
/// Registers 0 to 15: Linux include/uapi/linux/mii.h (MII_*, BMCR_*, BMSR_*, ADVERTISE_*, LPA_*). Ids: Linux
/// drivers/net/ethernet/intel/e1000e/defines.h. Pages and values after reset: QEMU hw/net/e1000_regs.h (PHY_*) and
/// hw/net/e1000e_core.c (e1000e_phy_reg_init).
extension E1000E {
    public enum PHY {
        /// Address of the internal PHY in MDIC. 82571.c init_phy_params.
        @inlinable public static var address: UInt32 { 1 }
        /// BME1000_E_PHY_ID_R2: identifier 1 in the upper half, identifier 2 with its revision in the lower.
        @inlinable public static var identifier: UInt32 { 0x0141_0cb1 }

        /// MII_BMCR.
        @inlinable public static var control: UInt8 { 0x00 }
        /// MII_BMSR. Link status latches low: read twice for the state of now.
        @inlinable public static var status: UInt8 { 0x01 }
        /// MII_PHYSID1.
        @inlinable public static var identifier1: UInt8 { 0x02 }
        /// MII_PHYSID2.
        @inlinable public static var identifier2: UInt8 { 0x03 }
        /// MII_ADVERTISE.
        @inlinable public static var advertise: UInt8 { 0x04 }
        /// MII_LPA.
        @inlinable public static var partnerAbility: UInt8 { 0x05 }
        /// MII_EXPANSION.
        @inlinable public static var expansion: UInt8 { 0x06 }
        /// Next page to send. QEMU PHY_NEXT_PAGE_TX.
        @inlinable public static var nextPage: UInt8 { 0x07 }
        /// MII_CTRL1000.
        @inlinable public static var gigabitControl: UInt8 { 0x09 }
        /// MII_STAT1000.
        @inlinable public static var gigabitStatus: UInt8 { 0x0a }
        /// MII_ESTATUS.
        @inlinable public static var extendedStatus: UInt8 { 0x0f }
        /// Copper specific control 1, page 0. QEMU PHY_COPPER_CTRL1.
        @inlinable public static var copperControl1: UInt8 { 0x10 }
        /// Copper specific status 1, page 0. QEMU PHY_COPPER_STAT1.
        @inlinable public static var copperStatus1: UInt8 { 0x11 }
        /// Receive error counter, page 0; all ones when the PHY hangs. E1000_RECEIVE_ERROR_COUNTER.
        @inlinable public static var receiveErrors: UInt8 { 0x15 }
        /// Page of registers 16 to 28. QEMU PHY_PAGE.
        @inlinable public static var page: UInt8 { 0x16 }

        /// Bias setting 1, page 0. QEMU PHY_BIAS_1; Linux writes 3 (phy.c e1000e_copper_link_setup_m88).
        @inlinable public static var bias1: UInt8 { 0x1d }
        /// Bias setting 2, page 0. QEMU PHY_BIAS_2; Linux writes 0.
        @inlinable public static var bias2: UInt8 { 0x1e }

        /// Registers up to this one are the same on every page. QEMU MAX_PHY_MULTI_PAGE_REG.
        @inlinable public static var lastCommonRegister: UInt8 { 0x0f }

        /// Every value after reset that is not zero.
        public static let resetValues: [(page: UInt8, register: UInt8, value: UInt16)] = [
            (0, control, 0x1140), (0, status, 0x794d), (0, identifier1, 0x0141), (0, identifier2, 0x0cb1),
            (0, advertise, 0x0de1), (0, partnerAbility, 0x07e0), (0, expansion, 0x0005), (0, nextPage, 0x2001),
            (0, gigabitControl, 0x0f00), (0, gigabitStatus, 0x3c00), (0, extendedStatus, 0x3000),
            (0, copperControl1, 0x3360), (0, copperStatus1, 0xac08),
            (2, 0x10, 0x0088), (2, 0x15, 0x1046), (3, 0x12, 0x4005),
        ]
    }

    /// PHY register 0. BMCR_*.
    @frozen
    public struct PHYControl: OptionSet, BitwiseCopyable, Sendable {
        public var rawValue: UInt16
        @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// BMCR_SPEED1000: with `speed100` clear, 1 Gb/s.
        @inlinable public static var speed1000: Self { Self(rawValue: 0x0040) }
        /// BMCR_FULLDPLX.
        @inlinable public static var fullDuplex: Self { Self(rawValue: 0x0100) }
        /// BMCR_ANRESTART; clears itself.
        @inlinable public static var restartAutoNegotiation: Self { Self(rawValue: 0x0200) }
        /// BMCR_ISOLATE.
        @inlinable public static var isolate: Self { Self(rawValue: 0x0400) }
        /// BMCR_PDOWN.
        @inlinable public static var powerDown: Self { Self(rawValue: 0x0800) }
        /// BMCR_ANENABLE.
        @inlinable public static var autoNegotiation: Self { Self(rawValue: 0x1000) }
        /// BMCR_SPEED100.
        @inlinable public static var speed100: Self { Self(rawValue: 0x2000) }
        /// BMCR_LOOPBACK.
        @inlinable public static var loopback: Self { Self(rawValue: 0x4000) }
        /// BMCR_RESET; clears itself.
        @inlinable public static var reset: Self { Self(rawValue: 0x8000) }
    }

    /// PHY register 1. BMSR_*.
    @frozen
    public struct PHYStatus: OptionSet, BitwiseCopyable, Sendable {
        public var rawValue: UInt16
        @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// BMSR_LSTATUS: latches low.
        @inlinable public static var linkUp: Self { Self(rawValue: 0x0004) }
        /// BMSR_ANEGCAPABLE.
        @inlinable public static var autoNegotiationCapable: Self { Self(rawValue: 0x0008) }
        /// BMSR_RFAULT.
        @inlinable public static var remoteFault: Self { Self(rawValue: 0x0010) }
        /// BMSR_ANEGCOMPLETE.
        @inlinable public static var autoNegotiationComplete: Self { Self(rawValue: 0x0020) }
        /// BMSR_ESTATEN.
        @inlinable public static var hasExtendedStatus: Self { Self(rawValue: 0x0100) }
    }
}

extension E1000E.MDIControl {
    /// Command that reads a PHY register.
    @inlinable
    public static func read(_ register: UInt8) -> Self {
        var command: Self = .read
        command.registerNumber = UInt32(register)
        command.phyAddress = E1000E.PHY.address
        return command
    }

    /// Command that writes a PHY register.
    @inlinable
    public static func write(_ value: UInt16, to register: UInt8) -> Self {
        var command: Self = .write
        command.registerNumber = UInt32(register)
        command.phyAddress = E1000E.PHY.address
        command.data = UInt32(value)
        return command
    }
}

extension E1000E.NVMRead {
    /// Command that reads a word; done and the word come back in the same register.
    @inlinable
    public static func read(word: Int) -> Self {
        var command: Self = .start
        command.address = UInt32(truncatingIfNeeded: word)
        return command
    }
}

extension E1000E.InterruptVectors {
    /// A cause's four bits: the vector, with the valid bit. E1000_IVAR_INT_ALLOC_VALID.
    @inlinable
    public static func entry(vector: UInt32) -> UInt32 { 0x8 | (vector & 0x7) }

    /// The vector of four bits, nil if they are not valid.
    @inlinable
    public static func vector(ofEntry entry: UInt32) -> UInt32? { entry & 0x8 == 0 ? nil : entry & 0x7 }
}
