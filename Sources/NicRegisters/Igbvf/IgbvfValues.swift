/// Values of a virtual function's registers.
///
/// Names and bits: E1000_NAME_* of Linux drivers/net/ethernet/intel/igbvf/defines.h, and of QEMU hw/net/igb_regs.h where a
/// value says so. Fields give the value shifted down.

extension Igbvf {
    /// CTRL. E1000_CTRL_RST is all that a virtual function has of it (QEMU igb_core.c igb_set_vtctrl).
    @frozen
    public struct Control: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Resets the function's queues and interrupts, and tells the PF.
        @inlinable public static var reset: Self { Self(rawValue: 1 << 26) }
        public static var namedFlags: [(name: String, flag: Self)] { [("RST", .reset)] }
    }

    /// STATUS. E1000_STATUS_*.
    @frozen
    public struct Status: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        @inlinable public static var fullDuplex: Self { Self(rawValue: 1 << 0) }
        @inlinable public static var linkUp: Self { Self(rawValue: 1 << 1) }
        @inlinable public static var transmitPaused: Self { Self(rawValue: 1 << 4) }
        /// 0: 10 Mb/s, 1: 100 Mb/s, 2: 1000 Mb/s.
        @inlinable public static var speedField: BitField { BitField(shift: 6, width: 2) }
        @inlinable public var speed: UInt32 {
            get { Self.speedField.extract(rawValue) }
            set { rawValue = Self.speedField.insert(newValue, into: rawValue) }
        }
        public static var namedFlags: [(name: String, flag: Self)] {
            [("FD", .fullDuplex), ("LU", .linkUp), ("TXOFF", .transmitPaused)]
        }
        public static var namedFields: [(name: String, field: BitField)] { [("SPEED", speedField)] }
    }

    /// SRRCTL. E1000_SRRCTL_*.
    @frozen
    public struct SplitControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Drop what finds no descriptor, rather than hold up the other functions.
        @inlinable public static var dropEnable: Self { Self(rawValue: 1 << 31) }
        /// Size of a receive buffer, units of 1024 bytes. E1000_SRRCTL_BSIZEPKT_MASK, _SHIFT.
        @inlinable public static var bufferSizeField: BitField { BitField(shift: 0, width: 7) }
        @inlinable public var bufferSize: UInt32 {
            get { Self.bufferSizeField.extract(rawValue) }
            set { rawValue = Self.bufferSizeField.insert(newValue, into: rawValue) }
        }
        /// Descriptor format; 1 is advanced with one buffer. E1000_SRRCTL_DESCTYPE_MASK, _ADV_ONEBUF.
        @inlinable public static var descriptorTypeField: BitField { BitField(shift: 25, width: 3) }
        @inlinable public var descriptorType: UInt32 {
            get { Self.descriptorTypeField.extract(rawValue) }
            set { rawValue = Self.descriptorTypeField.insert(newValue, into: rawValue) }
        }
        public static var namedFlags: [(name: String, flag: Self)] { [("DROP_EN", .dropEnable)] }
        public static var namedFields: [(name: String, field: BitField)] {
            [("BSIZEPKT", bufferSizeField), ("DESCTYPE", descriptorTypeField)]
        }
    }

    /// RXDCTL and TXDCTL. E1000_RXDCTL_QUEUE_ENABLE; thresholds: igbvf/netdev.c igbvf_configure_rx.
    @frozen
    public struct QueueControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        @inlinable public static var enable: Self { Self(rawValue: 1 << 25) }
        /// Descriptors are fetched when the device holds fewer.
        @inlinable public static var prefetchThresholdField: BitField { BitField(shift: 0, width: 5) }
        @inlinable public var prefetchThreshold: UInt32 {
            get { Self.prefetchThresholdField.extract(rawValue) }
            set { rawValue = Self.prefetchThresholdField.insert(newValue, into: rawValue) }
        }
        /// And when the host has at least so many ready.
        @inlinable public static var hostThresholdField: BitField { BitField(shift: 8, width: 5) }
        @inlinable public var hostThreshold: UInt32 {
            get { Self.hostThresholdField.extract(rawValue) }
            set { rawValue = Self.hostThresholdField.insert(newValue, into: rawValue) }
        }
        /// So many done descriptors are written back together.
        @inlinable public static var writeBackThresholdField: BitField { BitField(shift: 16, width: 5) }
        @inlinable public var writeBackThreshold: UInt32 {
            get { Self.writeBackThresholdField.extract(rawValue) }
            set { rawValue = Self.writeBackThresholdField.insert(newValue, into: rawValue) }
        }
        public static var namedFlags: [(name: String, flag: Self)] { [("ENABLE", .enable)] }
        public static var namedFields: [(name: String, field: BitField)] {
            [("PTHRESH", prefetchThresholdField), ("HTHRESH", hostThresholdField), ("WTHRESH", writeBackThresholdField)]
        }
    }

    /// DCA_TXCTRL. QEMU hw/net/igb_regs.h E1000_DCA_TXCTRL_*; the last also in igbvf/defines.h.
    @frozen
    public struct TransmitBusControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Reads of descriptors may pass other requests.
        @inlinable public static var relaxedDescriptorReads: Self { Self(rawValue: 1 << 9) }
        /// Reads of data may pass other requests.
        @inlinable public static var relaxedDataReads: Self { Self(rawValue: 1 << 13) }
        /// Write-backs may arrive out of order.
        @inlinable public static var relaxedWriteBack: Self { Self(rawValue: 1 << 11) }
        public static var namedFlags: [(name: String, flag: Self)] {
            [("DESC_RRO_EN", .relaxedDescriptorReads), ("TX_WB_RO_EN", .relaxedWriteBack), ("DATA_RRO_EN", .relaxedDataReads)]
        }
    }
}
