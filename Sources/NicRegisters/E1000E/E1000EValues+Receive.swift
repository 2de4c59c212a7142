/// Values of the 82574L's receive registers.
///
/// Names and bits of RCTL, RXCSUM, RFCTL, MRQC …: E1000_NAME_* of Linux
/// drivers/net/ethernet/intel/e1000e/defines.h and, where that header lacks them, of QEMU hw/net/e1000x_regs.h and
/// hw/net/e1000_regs.h. Fields give the value shifted down.

extension E1000E {
    /// Receive control. E1000_RCTL_*.
    @frozen
    public struct ReceiveControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Receive is on.
        @inlinable public static var enable: Self { Self(rawValue: 1 << 1) }
        /// Store bad frames.
        @inlinable public static var storeBadPackets: Self { Self(rawValue: 1 << 2) }
        /// All unicast.
        @inlinable public static var unicastPromiscuous: Self { Self(rawValue: 1 << 3) }
        /// All multicast.
        @inlinable public static var multicastPromiscuous: Self { Self(rawValue: 1 << 4) }
        /// Frames longer than 1522 bytes; up to 16 KiB.
        @inlinable public static var longPackets: Self { Self(rawValue: 1 << 5) }
        /// Accept broadcast.
        @inlinable public static var broadcastAccept: Self { Self(rawValue: 1 << 15) }
        /// VLAN filter table is on.
        @inlinable public static var vlanFilter: Self { Self(rawValue: 1 << 18) }
        /// Compare the CFI bit.
        @inlinable public static var canonicalFormEnable: Self { Self(rawValue: 1 << 19) }
        /// Wanted CFI bit.
        @inlinable public static var canonicalForm: Self { Self(rawValue: 1 << 20) }
        /// Discard PAUSE frames.
        @inlinable public static var discardPause: Self { Self(rawValue: 1 << 22) }
        /// Pass MAC control frames.
        @inlinable public static var passMACControl: Self { Self(rawValue: 1 << 23) }
        /// Buffer sizes times 16.
        @inlinable public static var bufferSizeExtension: Self { Self(rawValue: 1 << 25) }
        /// Strip the Ethernet CRC.
        @inlinable public static var stripCRC: Self { Self(rawValue: 1 << 26) }

        /// 0 none, 1 MAC loopback.
        @inlinable public static var loopbackField: BitField { BitField(shift: 6, width: 2) }
        /// 0 none, 1 MAC loopback.
        @inlinable public var loopback: UInt32 {
            get { Self.loopbackField.extract(rawValue) }
            set { rawValue = Self.loopbackField.insert(newValue, into: rawValue) }
        }
        /// RXDMT0 when free is 0 1/2, 1 1/4, 2 1/8 of the ring.
        @inlinable public static var descriptorThresholdField: BitField { BitField(shift: 8, width: 2) }
        /// RXDMT0 when free is 0 1/2, 1 1/4, 2 1/8 of the ring.
        @inlinable public var descriptorThreshold: UInt32 {
            get { Self.descriptorThresholdField.extract(rawValue) }
            set { rawValue = Self.descriptorThresholdField.insert(newValue, into: rawValue) }
        }
        /// 0 legacy or extended, 1 packet split.
        @inlinable public static var descriptorTypeField: BitField { BitField(shift: 10, width: 2) }
        /// 0 legacy or extended, 1 packet split.
        @inlinable public var descriptorType: UInt32 {
            get { Self.descriptorTypeField.extract(rawValue) }
            set { rawValue = Self.descriptorTypeField.insert(newValue, into: rawValue) }
        }
        /// Bits of the address that index MTA: 0 47:36, 1 46:35, 2 45:34, 3 43:32.
        @inlinable public static var multicastOffsetField: BitField { BitField(shift: 12, width: 2) }
        /// Bits of the address that index MTA: 0 47:36, 1 46:35, 2 45:34, 3 43:32.
        @inlinable public var multicastOffset: UInt32 {
            get { Self.multicastOffsetField.extract(rawValue) }
            set { rawValue = Self.multicastOffsetField.insert(newValue, into: rawValue) }
        }
        /// 0 2048, 1 1024, 2 512, 3 256 bytes; with BSEX 1 16384, 2 8192, 3 4096.
        @inlinable public static var bufferSizeField: BitField { BitField(shift: 16, width: 2) }
        /// 0 2048, 1 1024, 2 512, 3 256 bytes; with BSEX 1 16384, 2 8192, 3 4096.
        @inlinable public var bufferSize: UInt32 {
            get { Self.bufferSizeField.extract(rawValue) }
            set { rawValue = Self.bufferSizeField.insert(newValue, into: rawValue) }
        }
        /// Buffer size in KiB; 0 is off.
        @inlinable public static var flexibleBufferField: BitField { BitField(shift: 27, width: 4) }
        /// Buffer size in KiB; 0 is off.
        @inlinable public var flexibleBuffer: UInt32 {
            get { Self.flexibleBufferField.extract(rawValue) }
            set { rawValue = Self.flexibleBufferField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("EN", .enable),
                ("SBP", .storeBadPackets),
                ("UPE", .unicastPromiscuous),
                ("MPE", .multicastPromiscuous),
                ("LPE", .longPackets),
                ("BAM", .broadcastAccept),
                ("VFE", .vlanFilter),
                ("CFIEN", .canonicalFormEnable),
                ("CFI", .canonicalForm),
                ("DPF", .discardPause),
                ("PMCF", .passMACControl),
                ("BSEX", .bufferSizeExtension),
                ("SECRC", .stripCRC),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("LBM", loopbackField),
                ("RDMTS", descriptorThresholdField),
                ("DTYP", descriptorTypeField),
                ("MO", multicastOffsetField),
                ("BSIZE", bufferSizeField),
                ("FLXBUF", flexibleBufferField),
            ]
        }
    }

    /// Buffer sizes of packet-split descriptors. E1000_PSRCTL_*.
    @frozen
    public struct PacketSplitControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Units of 128 bytes.
        @inlinable public static var buffer0Field: BitField { BitField(shift: 0, width: 7) }
        /// Units of 128 bytes.
        @inlinable public var buffer0: UInt32 {
            get { Self.buffer0Field.extract(rawValue) }
            set { rawValue = Self.buffer0Field.insert(newValue, into: rawValue) }
        }
        /// KiB.
        @inlinable public static var buffer1Field: BitField { BitField(shift: 8, width: 6) }
        /// KiB.
        @inlinable public var buffer1: UInt32 {
            get { Self.buffer1Field.extract(rawValue) }
            set { rawValue = Self.buffer1Field.insert(newValue, into: rawValue) }
        }
        /// KiB.
        @inlinable public static var buffer2Field: BitField { BitField(shift: 16, width: 6) }
        /// KiB.
        @inlinable public var buffer2: UInt32 {
            get { Self.buffer2Field.extract(rawValue) }
            set { rawValue = Self.buffer2Field.insert(newValue, into: rawValue) }
        }
        /// KiB.
        @inlinable public static var buffer3Field: BitField { BitField(shift: 24, width: 6) }
        /// KiB.
        @inlinable public var buffer3: UInt32 {
            get { Self.buffer3Field.extract(rawValue) }
            set { rawValue = Self.buffer3Field.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            []
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("BSIZE0", buffer0Field),
                ("BSIZE1", buffer1Field),
                ("BSIZE2", buffer2Field),
                ("BSIZE3", buffer3Field),
            ]
        }
    }

    /// Receive descriptor thresholds (RXDCTL). Bits as TXDCTL's: E1000_TXDCTL_*.
    @frozen
    public struct ReceiveDescriptorControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

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
                ("GRAN", .granularity)
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

    /// Interrupt delay (RDTR, TIDV). E1000_RDTR_FPD, E1000_TIDV_FPD.
    @frozen
    public struct DelayTimer: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Flush: write back and interrupt now; reads 0.
        @inlinable public static var flush: Self { Self(rawValue: 1 << 31) }

        /// Units of 1.024 µs; 0 is no delay. E1000_INTR_DELAY_NS_RES.
        @inlinable public static var delayField: BitField { BitField(shift: 0, width: 16) }
        /// Units of 1.024 µs; 0 is no delay. E1000_INTR_DELAY_NS_RES.
        @inlinable public var delay: UInt32 {
            get { Self.delayField.extract(rawValue) }
            set { rawValue = Self.delayField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("FPD", .flush)
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("DELAY", delayField)
            ]
        }
    }

    /// Receive checksum control. E1000_RXCSUM_*.
    @frozen
    public struct ReceiveChecksumControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Check IPv4 header checksums.
        @inlinable public static var ipOffload: Self { Self(rawValue: 1 << 8) }
        /// Check TCP and UDP checksums.
        @inlinable public static var tcpUDPOffload: Self { Self(rawValue: 1 << 9) }
        /// Payload checksum of fragments.
        @inlinable public static var ipPayloadChecksum: Self { Self(rawValue: 1 << 12) }
        /// Descriptors carry the RSS hash, not the packet checksum.
        @inlinable public static var packetChecksumDisable: Self { Self(rawValue: 1 << 13) }

        /// Packet checksum starts at this byte.
        @inlinable public static var startField: BitField { BitField(shift: 0, width: 8) }
        /// Packet checksum starts at this byte.
        @inlinable public var start: UInt32 {
            get { Self.startField.extract(rawValue) }
            set { rawValue = Self.startField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("IPOFLD", .ipOffload),
                ("TUOFLD", .tcpUDPOffload),
                ("IPPCSE", .ipPayloadChecksum),
                ("PCSD", .packetChecksumDisable),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("PCSS", startField)
            ]
        }
    }

    /// Receive filter control. E1000_RFCTL_*.
    @frozen
    public struct ReceiveFilterControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// No iSCSI filtering.
        @inlinable public static var iscsiDisable: Self { Self(rawValue: 1 << 0) }
        /// No NFS write filtering.
        @inlinable public static var nfsWriteDisable: Self { Self(rawValue: 1 << 6) }
        /// No NFS read filtering.
        @inlinable public static var nfsReadDisable: Self { Self(rawValue: 1 << 7) }
        /// No IPv6 filtering.
        @inlinable public static var ipv6Disable: Self { Self(rawValue: 1 << 10) }
        /// No IPv6 checksum.
        @inlinable public static var ipv6ChecksumDisable: Self { Self(rawValue: 1 << 11) }
        /// No ACK interrupts.
        @inlinable public static var acknowledgeDisable: Self { Self(rawValue: 1 << 12) }
        /// No ACK interrupts for frames with data.
        @inlinable public static var acknowledgeDataDisable: Self { Self(rawValue: 1 << 13) }
        /// No header split of fragments.
        @inlinable public static var fragmentSplitDisable: Self { Self(rawValue: 1 << 14) }
        /// Descriptors are written back in extended format.
        @inlinable public static var extendedStatus: Self { Self(rawValue: 1 << 15) }
        /// No IPv6 extension header parsing.
        @inlinable public static var ipv6ExtensionDisable: Self { Self(rawValue: 1 << 16) }
        /// No parsing of new IPv6 extension headers.
        @inlinable public static var newIPv6ExtensionDisable: Self { Self(rawValue: 1 << 17) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("ISCSI_DIS", .iscsiDisable),
                ("NFSW_DIS", .nfsWriteDisable),
                ("NFSR_DIS", .nfsReadDisable),
                ("IPV6_DIS", .ipv6Disable),
                ("IPV6_XSUM_DIS", .ipv6ChecksumDisable),
                ("ACK_DIS", .acknowledgeDisable),
                ("ACK_DATA_DIS", .acknowledgeDataDisable),
                ("IPFRSP_DIS", .fragmentSplitDisable),
                ("EXTEN", .extendedStatus),
                ("IPV6_EX_DIS", .ipv6ExtensionDisable),
                ("NEW_IPV6_EXT_DIS", .newIPv6ExtensionDisable),
            ]
        }
    }

    /// RSS control. E1000_MRQC_*.
    @frozen
    public struct MultipleQueuesControl: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Hash TCP over IPv4.
        @inlinable public static var tcpIPv4: Self { Self(rawValue: 1 << 16) }
        /// Hash IPv4.
        @inlinable public static var ipv4: Self { Self(rawValue: 1 << 17) }
        /// Hash TCP over IPv6 with extension headers.
        @inlinable public static var tcpIPv6Extended: Self { Self(rawValue: 1 << 18) }
        /// Hash IPv6 with extension headers.
        @inlinable public static var ipv6Extended: Self { Self(rawValue: 1 << 19) }
        /// Hash IPv6.
        @inlinable public static var ipv6: Self { Self(rawValue: 1 << 20) }
        /// Hash TCP over IPv6.
        @inlinable public static var tcpIPv6: Self { Self(rawValue: 1 << 21) }

        /// 0 one queue, 1 RSS. QEMU E1000_MRQC_ENABLED.
        @inlinable public static var modeField: BitField { BitField(shift: 0, width: 2) }
        /// 0 one queue, 1 RSS. QEMU E1000_MRQC_ENABLED.
        @inlinable public var mode: UInt32 {
            get { Self.modeField.extract(rawValue) }
            set { rawValue = Self.modeField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("IPV4_TCP", .tcpIPv4),
                ("IPV4", .ipv4),
                ("IPV6_TCP_EX", .tcpIPv6Extended),
                ("IPV6_EX", .ipv6Extended),
                ("IPV6", .ipv6),
                ("IPV6_TCP", .tcpIPv6),
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("ENABLE", modeField)
            ]
        }
    }
}
