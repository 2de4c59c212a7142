/// Values of the 82574L's transmit registers.
///
/// Names and bits of TCTL, TIPG, TXDCTL: E1000_NAME_* of Linux
/// drivers/net/ethernet/intel/e1000e/defines.h and, where that header lacks them, of QEMU hw/net/e1000x_regs.h and
/// hw/net/e1000_regs.h. Fields give the value shifted down.

extension E1000E {
    /// Transmit control. E1000_TCTL_*.
    @frozen
    public struct TransmitControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Transmit is on.
        @inlinable public static var enable: Self { Self(rawValue: 1 << 1) }
        /// Pad frames to 64 bytes.
        @inlinable public static var padShortPackets: Self { Self(rawValue: 1 << 3) }
        /// Send an XOFF now; clears itself.
        @inlinable public static var softwareXOFF: Self { Self(rawValue: 1 << 22) }
        /// Packet burst.
        @inlinable public static var packetBurst: Self { Self(rawValue: 1 << 23) }
        /// Retransmit on late collision.
        @inlinable public static var retransmitLateCollision: Self { Self(rawValue: 1 << 24) }
        /// Several PCIe read requests at a time.
        @inlinable public static var multipleRequests: Self { Self(rawValue: 1 << 28) }

        /// Tries before a frame is given up; 15.
        @inlinable public static var collisionThresholdField: BitField { BitField(shift: 4, width: 8) }
        /// Tries before a frame is given up; 15.
        @inlinable public var collisionThreshold: UInt32 {
            get { Self.collisionThresholdField.extract(rawValue) }
            set { rawValue = Self.collisionThresholdField.insert(newValue, into: rawValue) }
        }
        /// Byte times; 63 in full duplex.
        @inlinable public static var collisionDistanceField: BitField { BitField(shift: 12, width: 10) }
        /// Byte times; 63 in full duplex.
        @inlinable public var collisionDistance: UInt32 {
            get { Self.collisionDistanceField.extract(rawValue) }
            set { rawValue = Self.collisionDistanceField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("EN", .enable),
                ("PSP", .padShortPackets),
                ("SWXOFF", .softwareXOFF),
                ("PBE", .packetBurst),
                ("RTLC", .retransmitLateCollision),
                ("MULR", .multipleRequests),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("CT", collisionThresholdField),
                ("COLD", collisionDistanceField),
            ]
        }
    }

    /// Inter-packet gap. E1000_TIPG_*.
    @frozen
    public struct InterPacketGap: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Back to back; 8 for copper.
        @inlinable public static var transmitField: BitField { BitField(shift: 0, width: 10) }
        /// Back to back; 8 for copper.
        @inlinable public var transmit: UInt32 {
            get { Self.transmitField.extract(rawValue) }
            set { rawValue = Self.transmitField.insert(newValue, into: rawValue) }
        }
        /// Half duplex part 1; 8.
        @inlinable public static var receive1Field: BitField { BitField(shift: 10, width: 10) }
        /// Half duplex part 1; 8.
        @inlinable public var receive1: UInt32 {
            get { Self.receive1Field.extract(rawValue) }
            set { rawValue = Self.receive1Field.insert(newValue, into: rawValue) }
        }
        /// Half duplex part 2; 6.
        @inlinable public static var receive2Field: BitField { BitField(shift: 20, width: 10) }
        /// Half duplex part 2; 6.
        @inlinable public var receive2: UInt32 {
            get { Self.receive2Field.extract(rawValue) }
            set { rawValue = Self.receive2Field.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            []
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("IPGT", transmitField),
                ("IPGR1", receive1Field),
                ("IPGR2", receive2Field),
            ]
        }
    }

    /// Transmit descriptor thresholds. E1000_TXDCTL_*.
    @frozen
    public struct TransmitDescriptorControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Count descriptors still to be worked on; Linux sets it on every 82571 to 82574.
        @inlinable public static var countDescriptors: Self { Self(rawValue: 1 << 22) }
        /// Thresholds count descriptors, not cache lines.
        @inlinable public static var granularity: Self { Self(rawValue: 1 << 24) }

        /// Prefetch when fewer than this are on chip.
        @inlinable public static var prefetchThresholdField: BitField { BitField(shift: 0, width: 6) }
        /// Prefetch when fewer than this are on chip.
        @inlinable public var prefetchThreshold: UInt32 {
            get { Self.prefetchThresholdField.extract(rawValue) }
            set { rawValue = Self.prefetchThresholdField.insert(newValue, into: rawValue) }
        }
        /// and at least this many are in host memory.
        @inlinable public static var hostThresholdField: BitField { BitField(shift: 8, width: 6) }
        /// and at least this many are in host memory.
        @inlinable public var hostThreshold: UInt32 {
            get { Self.hostThresholdField.extract(rawValue) }
            set { rawValue = Self.hostThresholdField.insert(newValue, into: rawValue) }
        }
        /// Write back when this many are done.
        @inlinable public static var writeBackThresholdField: BitField { BitField(shift: 16, width: 6) }
        /// Write back when this many are done.
        @inlinable public var writeBackThreshold: UInt32 {
            get { Self.writeBackThresholdField.extract(rawValue) }
            set { rawValue = Self.writeBackThresholdField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("COUNT_DESC", .countDescriptors),
                ("GRAN", .granularity),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("PTHRESH", prefetchThresholdField),
                ("HTHRESH", hostThresholdField),
                ("WTHRESH", writeBackThresholdField),
            ]
        }
    }

    /// Transmit arbitration between the queues. E1000_TARC_ENABLE.
    @frozen
    public struct TransmitArbitration: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The queue takes part.
        @inlinable public static var enable: Self { Self(rawValue: 1 << 10) }
        /// Set on queue 0 by Linux (82571.c initialize_hw_bits).
        @inlinable public static var erratum26: Self { Self(rawValue: 1 << 26) }

        /// Frames in a row.
        @inlinable public static var countField: BitField { BitField(shift: 0, width: 7) }
        /// Frames in a row.
        @inlinable public var count: UInt32 {
            get { Self.countField.extract(rawValue) }
            set { rawValue = Self.countField.insert(newValue, into: rawValue) }
        }
        /// Cleared on queue 0 by Linux (82571.c initialize_hw_bits).
        @inlinable public static var mode27Field: BitField { BitField(shift: 27, width: 4) }
        /// Cleared on queue 0 by Linux (82571.c initialize_hw_bits).
        @inlinable public var mode27: UInt32 {
            get { Self.mode27Field.extract(rawValue) }
            set { rawValue = Self.mode27Field.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("ENABLE", .enable),
                ("ERRATUM_26", .erratum26),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("COUNT", countField),
                ("MODE_30_27", mode27Field),
            ]
        }
    }
}
