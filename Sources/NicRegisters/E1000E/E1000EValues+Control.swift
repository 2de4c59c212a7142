/// Values of the 82574L's device control registers.
///
/// Names and bits of CTRL, STATUS, CTRL_EXT, PBA …: E1000_NAME_* of Linux
/// drivers/net/ethernet/intel/e1000e/defines.h and, where that header lacks them, of QEMU hw/net/e1000x_regs.h and
/// hw/net/e1000_regs.h. Fields give the value shifted down.

extension E1000E {
    /// Device Control. E1000_CTRL_*.
    @frozen
    public struct Control: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Full duplex; valid with forceDuplex, else the PHY decides.
        @inlinable public static var fullDuplex: Self { Self(rawValue: 1 << 0) }
        /// No new requests on PCIe; the device answers by STATUS.GIO_MASTER_ENABLE going to 0.
        @inlinable public static var gioMasterDisable: Self { Self(rawValue: 1 << 2) }
        /// Link reset of SerDes parts; written as 0 here.
        @inlinable public static var linkReset: Self { Self(rawValue: 1 << 3) }
        /// Automatic speed detection.
        @inlinable public static var autoSpeedDetect: Self { Self(rawValue: 1 << 5) }
        /// Set link up.
        @inlinable public static var setLinkUp: Self { Self(rawValue: 1 << 6) }
        /// Invert loss of signal; written as 0 here.
        @inlinable public static var invertLossOfSignal: Self { Self(rawValue: 1 << 7) }
        /// The speed field decides, not the PHY.
        @inlinable public static var forceSpeed: Self { Self(rawValue: 1 << 11) }
        /// fullDuplex decides, not the PHY.
        @inlinable public static var forceDuplex: Self { Self(rawValue: 1 << 12) }
        /// Advertise D3cold wake-up.
        @inlinable public static var d3WakeUp: Self { Self(rawValue: 1 << 20) }
        /// Global reset of all but PCIe configuration; clears itself.
        @inlinable public static var reset: Self { Self(rawValue: 1 << 26) }
        /// Answer received PAUSE frames.
        @inlinable public static var receiveFlowControl: Self { Self(rawValue: 1 << 27) }
        /// Send PAUSE frames.
        @inlinable public static var transmitFlowControl: Self { Self(rawValue: 1 << 28) }
        /// Strip and insert 802.1Q tags.
        @inlinable public static var vlanMode: Self { Self(rawValue: 1 << 30) }
        /// Hardware reset of the PHY while set.
        @inlinable public static var phyReset: Self { Self(rawValue: 1 << 31) }

        /// Forced speed: 0 10 Mb/s, 1 100 Mb/s, 2 1 Gb/s.
        @inlinable public static var speedField: BitField { BitField(shift: 8, width: 2) }
        /// Forced speed: 0 10 Mb/s, 1 100 Mb/s, 2 1 Gb/s.
        @inlinable public var speed: UInt32 {
            get { Self.speedField.extract(rawValue) }
            set { rawValue = Self.speedField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("FD", .fullDuplex),
                ("GIO_MASTER_DISABLE", .gioMasterDisable),
                ("LRST", .linkReset),
                ("ASDE", .autoSpeedDetect),
                ("SLU", .setLinkUp),
                ("ILOS", .invertLossOfSignal),
                ("FRCSPD", .forceSpeed),
                ("FRCDPX", .forceDuplex),
                ("ADVD3WUC", .d3WakeUp),
                ("RST", .reset),
                ("RFCE", .receiveFlowControl),
                ("TFCE", .transmitFlowControl),
                ("VME", .vlanMode),
                ("PHY_RST", .phyReset),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("SPD_SEL", speedField)
            ]
        }
    }

    /// Device Status. E1000_STATUS_*.
    @frozen
    public struct Status: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Full duplex.
        @inlinable public static var fullDuplex: Self { Self(rawValue: 1 << 0) }
        /// Link is up.
        @inlinable public static var linkUp: Self { Self(rawValue: 1 << 1) }
        /// Transmission is paused by flow control.
        @inlinable public static var transmitOff: Self { Self(rawValue: 1 << 4) }
        /// The PHY was reset.
        @inlinable public static var phyResetAsserted: Self { Self(rawValue: 1 << 10) }
        /// PCIe requests are on, or some are still outstanding.
        @inlinable public static var gioMasterEnable: Self { Self(rawValue: 1 << 19) }

        /// PCI function number.
        @inlinable public static var functionField: BitField { BitField(shift: 2, width: 2) }
        /// PCI function number.
        @inlinable public var function: UInt32 {
            get { Self.functionField.extract(rawValue) }
            set { rawValue = Self.functionField.insert(newValue, into: rawValue) }
        }
        /// 0 10 Mb/s, 1 100 Mb/s, 2 or 3 1 Gb/s.
        @inlinable public static var speedField: BitField { BitField(shift: 6, width: 2) }
        /// 0 10 Mb/s, 1 100 Mb/s, 2 or 3 1 Gb/s.
        @inlinable public var speed: UInt32 {
            get { Self.speedField.extract(rawValue) }
            set { rawValue = Self.speedField.insert(newValue, into: rawValue) }
        }
        /// Automatically detected speed, coded as speed.
        @inlinable public static var detectedSpeedField: BitField { BitField(shift: 8, width: 2) }
        /// Automatically detected speed, coded as speed.
        @inlinable public var detectedSpeed: UInt32 {
            get { Self.detectedSpeedField.extract(rawValue) }
            set { rawValue = Self.detectedSpeedField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("FD", .fullDuplex),
                ("LU", .linkUp),
                ("TXOFF", .transmitOff),
                ("PHYRA", .phyResetAsserted),
                ("GIO_MASTER_ENABLE", .gioMasterEnable),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("FUNC", functionField),
                ("SPEED", speedField),
                ("ASDV", detectedSpeedField),
            ]
        }
    }

    /// Extended Device Control. E1000_CTRL_EXT_*.
    @frozen
    public struct ExtendedControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Start a speed detection; clears itself.
        @inlinable public static var autoSpeedCheck: Self { Self(rawValue: 1 << 12) }
        /// Read the NVM again, as after a reset; clears itself.
        @inlinable public static var nvmReset: Self { Self(rawValue: 1 << 13) }
        /// Speed selection bypass.
        @inlinable public static var speedBypass: Self { Self(rawValue: 1 << 15) }
        /// No relaxed ordering on PCIe.
        @inlinable public static var relaxedOrderingDisable: Self { Self(rawValue: 1 << 17) }
        /// DMA clock gating.
        @inlinable public static var dynamicClockGating: Self { Self(rawValue: 1 << 19) }
        /// PHY power-down.
        @inlinable public static var phyPowerDown: Self { Self(rawValue: 1 << 20) }
        /// An MSI-X message masks the causes of IAM.
        @inlinable public static var extendedInterruptAutoMask: Self { Self(rawValue: 1 << 24) }
        /// Reading or writing ICR masks the causes of IAM.
        @inlinable public static var interruptAcknowledgeAutoMask: Self { Self(rawValue: 1 << 27) }
        /// A driver is in charge; told to the firmware.
        @inlinable public static var driverLoaded: Self { Self(rawValue: 1 << 28) }
        /// Writing all causes to IMS ends the interrupt timers.
        @inlinable public static var interruptTimersClear: Self { Self(rawValue: 1 << 29) }
        /// MSI-X pending bits clear with the mask; set for MSI-X.
        @inlinable public static var pendingBitClear: Self { Self(rawValue: 1 << 31) }

        /// Link mode; 82574L: bit 22 set, bit 23 clear (82571.c initialize_hw_bits).
        @inlinable public static var linkModeField: BitField { BitField(shift: 22, width: 2) }
        /// Link mode; 82574L: bit 22 set, bit 23 clear (82571.c initialize_hw_bits).
        @inlinable public var linkMode: UInt32 {
            get { Self.linkModeField.extract(rawValue) }
            set { rawValue = Self.linkModeField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("ASDCHK", .autoSpeedCheck),
                ("EE_RST", .nvmReset),
                ("SPD_BYPS", .speedBypass),
                ("RO_DIS", .relaxedOrderingDisable),
                ("DMA_DYN_CLK_EN", .dynamicClockGating),
                ("PHYPDEN", .phyPowerDown),
                ("EIAME", .extendedInterruptAutoMask),
                ("IAME", .interruptAcknowledgeAutoMask),
                ("DRV_LOAD", .driverLoaded),
                ("INT_TIMERS_CLEAR_ENA", .interruptTimersClear),
                ("PBA_CLR", .pendingBitClear),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("LINK_MODE", linkModeField)
            ]
        }
    }

    /// LED control; LED 1 and 2 repeat LED 0's byte. E1000_LEDCTL_*.
    @frozen
    public struct LEDControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Invert LED 0.
        @inlinable public static var led0Invert: Self { Self(rawValue: 1 << 6) }
        /// Blink LED 0.
        @inlinable public static var led0Blink: Self { Self(rawValue: 1 << 7) }

        /// 0x2 link up, 0xe on, 0xf off.
        @inlinable public static var led0ModeField: BitField { BitField(shift: 0, width: 4) }
        /// 0x2 link up, 0xe on, 0xf off.
        @inlinable public var led0Mode: UInt32 {
            get { Self.led0ModeField.extract(rawValue) }
            set { rawValue = Self.led0ModeField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("LED0_IVRT", .led0Invert),
                ("LED0_BLINK", .led0Blink),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("LED0_MODE", led0ModeField)
            ]
        }
    }

    /// Packet buffer split in KiB. E1000_PBA_RXA_MASK; QEMU e1000e_mac_reg_init.
    @frozen
    public struct PacketBufferAllocation: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// KiB for receive.
        @inlinable public static var receiveKibibytesField: BitField { BitField(shift: 0, width: 16) }
        /// KiB for receive.
        @inlinable public var receiveKibibytes: UInt32 {
            get { Self.receiveKibibytesField.extract(rawValue) }
            set { rawValue = Self.receiveKibibytesField.insert(newValue, into: rawValue) }
        }
        /// KiB for transmit; the rest of the buffer.
        @inlinable public static var transmitKibibytesField: BitField { BitField(shift: 16, width: 16) }
        /// KiB for transmit; the rest of the buffer.
        @inlinable public var transmitKibibytes: UInt32 {
            get { Self.transmitKibibytesField.extract(rawValue) }
            set { rawValue = Self.transmitKibibytesField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            []
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("RXA", receiveKibibytesField),
                ("TXA", transmitKibibytesField),
            ]
        }
    }

    /// XON threshold. E1000_FCRTL_*.
    @frozen
    public struct FlowThresholdLow: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Send XON.
        @inlinable public static var xonEnable: Self { Self(rawValue: 1 << 31) }

        /// Bytes in the receive FIFO, in units of 8.
        @inlinable public static var octets8Field: BitField { BitField(shift: 3, width: 13) }
        /// Bytes in the receive FIFO, in units of 8.
        @inlinable public var octets8: UInt32 {
            get { Self.octets8Field.extract(rawValue) }
            set { rawValue = Self.octets8Field.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("XONE", .xonEnable)
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("RTL", octets8Field)
            ]
        }
    }

    /// XOFF threshold. E1000_FCRTH_*.
    @frozen
    public struct FlowThresholdHigh: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Bytes in the receive FIFO, in units of 8.
        @inlinable public static var octets8Field: BitField { BitField(shift: 3, width: 13) }
        /// Bytes in the receive FIFO, in units of 8.
        @inlinable public var octets8: UInt32 {
            get { Self.octets8Field.extract(rawValue) }
            set { rawValue = Self.octets8Field.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            []
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("RTH", octets8Field)
            ]
        }
    }
}
