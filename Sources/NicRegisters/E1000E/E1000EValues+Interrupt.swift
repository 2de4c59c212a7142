/// Values of the 82574L's interrupt registers.
///
/// Names and bits of ICR, IVAR: E1000_NAME_* of Linux
/// drivers/net/ethernet/intel/e1000e/defines.h and, where that header lacks them, of QEMU hw/net/e1000x_regs.h and
/// hw/net/e1000_regs.h. Fields give the value shifted down.
///
/// IMS, IMC, ICS, IAM and EIAC have ICR's bits.

extension E1000E {
    /// Interrupt causes. E1000_ICR_*.
    @frozen
    public struct InterruptCause: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// A transmit descriptor was written back.
        @inlinable public static var transmitWriteBack: Self { Self(rawValue: 1 << 0) }
        /// The transmit queue is empty.
        @inlinable public static var transmitQueueEmpty: Self { Self(rawValue: 1 << 1) }
        /// The link changed.
        @inlinable public static var linkChange: Self { Self(rawValue: 1 << 2) }
        /// Receive sequence error.
        @inlinable public static var receiveSequenceError: Self { Self(rawValue: 1 << 3) }
        /// Few receive descriptors are left.
        @inlinable public static var receiveThreshold: Self { Self(rawValue: 1 << 4) }
        /// The receive FIFO overran.
        @inlinable public static var receiveOverrun: Self { Self(rawValue: 1 << 6) }
        /// Received frames wait (receive timer).
        @inlinable public static var receiveTimer: Self { Self(rawValue: 1 << 7) }
        /// An MDIO access has ended.
        @inlinable public static var mdioDone: Self { Self(rawValue: 1 << 9) }
        /// Transmit descriptors ran low.
        @inlinable public static var transmitLow: Self { Self(rawValue: 1 << 15) }
        /// A small frame was received.
        @inlinable public static var smallPacket: Self { Self(rawValue: 1 << 16) }
        /// A TCP acknowledgement was received.
        @inlinable public static var acknowledge: Self { Self(rawValue: 1 << 17) }
        /// Management event.
        @inlinable public static var management: Self { Self(rawValue: 1 << 18) }
        /// Receive queue 0 (MSI-X).
        @inlinable public static var receiveQueue0: Self { Self(rawValue: 1 << 20) }
        /// Receive queue 1 (MSI-X).
        @inlinable public static var receiveQueue1: Self { Self(rawValue: 1 << 21) }
        /// The cause of a receive queue, 0 or 1.
        @inlinable public static func receiveQueue(_ index: Int) -> Self { index == 0 ? receiveQueue0 : receiveQueue1 }
        /// Transmit queue 0 (MSI-X).
        @inlinable public static var transmitQueue0: Self { Self(rawValue: 1 << 22) }
        /// Transmit queue 1 (MSI-X).
        @inlinable public static var transmitQueue1: Self { Self(rawValue: 1 << 23) }
        /// Any other cause (MSI-X).
        @inlinable public static var other: Self { Self(rawValue: 1 << 24) }
        /// An interrupt was raised for these causes.
        @inlinable public static var asserted: Self { Self(rawValue: 1 << 31) }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("TXDW", .transmitWriteBack),
                ("TXQE", .transmitQueueEmpty),
                ("LSC", .linkChange),
                ("RXSEQ", .receiveSequenceError),
                ("RXDMT0", .receiveThreshold),
                ("RXO", .receiveOverrun),
                ("RXT0", .receiveTimer),
                ("MDAC", .mdioDone),
                ("TXD_LOW", .transmitLow),
                ("SRPD", .smallPacket),
                ("ACK", .acknowledge),
                ("MNG", .management),
                ("RXQ0", .receiveQueue0),
                ("RXQ1", .receiveQueue1),
                ("TXQ0", .transmitQueue0),
                ("TXQ1", .transmitQueue1),
                ("OTHER", .other),
                ("INT_ASSERTED", .asserted),
            ]
        }
    }

    /// Least time between interrupts (ITR, EITR).
    @frozen
    public struct InterruptThrottle: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Units of 256 ns; 0 is no throttling. E1000_INTR_THROTTLING_NS_RES.
        @inlinable public static var intervalField: BitField { BitField(shift: 0, width: 16) }
        /// Units of 256 ns; 0 is no throttling. E1000_INTR_THROTTLING_NS_RES.
        @inlinable public var interval: UInt32 {
            get { Self.intervalField.extract(rawValue) }
            set { rawValue = Self.intervalField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            []
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("INTERVAL", intervalField)
            ]
        }
    }

    /// MSI-X vector of each cause, four bits each: bit 3 valid, bits 2:0 vector. E1000_IVAR_*.
    @frozen
    public struct InterruptVectors: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// A transmit interrupt on every write-back, RS or not.
        @inlinable public static var everyWriteBack: Self { Self(rawValue: 1 << 31) }

        /// Receive queue 0.
        @inlinable public static var receiveQueue0Field: BitField { BitField(shift: 0, width: 4) }
        /// Receive queue 0.
        @inlinable public var receiveQueue0: UInt32 {
            get { Self.receiveQueue0Field.extract(rawValue) }
            set { rawValue = Self.receiveQueue0Field.insert(newValue, into: rawValue) }
        }
        /// Receive queue 1.
        @inlinable public static var receiveQueue1Field: BitField { BitField(shift: 4, width: 4) }
        /// Receive queue 1.
        @inlinable public var receiveQueue1: UInt32 {
            get { Self.receiveQueue1Field.extract(rawValue) }
            set { rawValue = Self.receiveQueue1Field.insert(newValue, into: rawValue) }
        }
        /// Transmit queue 0.
        @inlinable public static var transmitQueue0Field: BitField { BitField(shift: 8, width: 4) }
        /// Transmit queue 0.
        @inlinable public var transmitQueue0: UInt32 {
            get { Self.transmitQueue0Field.extract(rawValue) }
            set { rawValue = Self.transmitQueue0Field.insert(newValue, into: rawValue) }
        }
        /// Transmit queue 1.
        @inlinable public static var transmitQueue1Field: BitField { BitField(shift: 12, width: 4) }
        /// Transmit queue 1.
        @inlinable public var transmitQueue1: UInt32 {
            get { Self.transmitQueue1Field.extract(rawValue) }
            set { rawValue = Self.transmitQueue1Field.insert(newValue, into: rawValue) }
        }
        /// Other causes.
        @inlinable public static var otherField: BitField { BitField(shift: 16, width: 4) }
        /// Other causes.
        @inlinable public var other: UInt32 {
            get { Self.otherField.extract(rawValue) }
            set { rawValue = Self.otherField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("TX_INT_EVERY_WB", .everyWriteBack)
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("RXQ0", receiveQueue0Field),
                ("RXQ1", receiveQueue1Field),
                ("TXQ0", transmitQueue0Field),
                ("TXQ1", transmitQueue1Field),
                ("OTHER", otherField),
            ]
        }
    }

    /// MSI-X pending bits to clear. E1000_PBACLR_VALID_MASK.
    @frozen
    public struct PendingBitClear: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// One bit a vector.
        @inlinable public static var vectorsField: BitField { BitField(shift: 0, width: 5) }
        /// One bit a vector.
        @inlinable public var vectors: UInt32 {
            get { Self.vectorsField.extract(rawValue) }
            set { rawValue = Self.vectorsField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            []
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("PENBIT", vectorsField)
            ]
        }
    }
}
