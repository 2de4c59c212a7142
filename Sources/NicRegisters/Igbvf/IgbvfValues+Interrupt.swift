/// Values of a virtual function's interrupt registers.

extension Igbvf {
    /// A set of the function's MSI-X vectors: EICR, EICS, EIMS, EIMC, EIAC, EIAM have a bit for each.
    /// QEMU hw/net/igb_core.c igb_set_vteims.
    @frozen
    public struct VectorSet: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        @inlinable public static var vector0: Self { Self(rawValue: 1 << 0) }
        @inlinable public static var vector1: Self { Self(rawValue: 1 << 1) }
        @inlinable public static var vector2: Self { Self(rawValue: 1 << 2) }
        @inlinable public static var all: Self { Self(rawValue: 7) }
        /// - Parameter number: below ``PCI/msixVectorCount``; others give an empty set.
        @inlinable public static func vector(_ number: Int) -> Self {
            number >= 0 && number < 3 ? Self(rawValue: 1 &<< UInt32(number)) : []
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [("VECTOR0", .vector0), ("VECTOR1", .vector1), ("VECTOR2", .vector2)]
        }
    }

    /// Least time between interrupts (EITR). The unit is 256 ns, with steps of four: igbvf.h IGBVF_20K_ITR is 196.
    @frozen
    public struct InterruptThrottle: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// QEMU hw/net/igb_core.c igb_set_eitr keeps these bits.
        @inlinable public static var intervalField: BitField { BitField(shift: 1, width: 14) }

        /// The next step at or below an interval, at most 32767 units.
        @inlinable
        public init(units: UInt32) { rawValue = min(units, 0x7fff) & ~3 }

        public static var namedFlags: [(name: String, flag: Self)] { [] }
        public static var namedFields: [(name: String, field: BitField)] { [("INTERVAL", intervalField)] }
    }

    /// VTIVAR: a byte for each of Rx 0, Tx 0, Rx 1 and Tx 1. VTIVAR_MISC: the lowest byte, for the mailbox.
    /// igbvf/netdev.c igbvf_assign_vector, E1000_IVAR_VALID.
    @frozen
    public struct VectorAllocation: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        @inlinable public static func receiveField(_ queue: Int) -> BitField { BitField(shift: queue & 1 == 0 ? 0 : 16, width: 8) }
        @inlinable public static func transmitField(_ queue: Int) -> BitField { BitField(shift: queue & 1 == 0 ? 8 : 24, width: 8) }

        /// A byte that names a vector.
        @inlinable public static func entry(vector: Int) -> UInt32 { 0x80 | UInt32(truncatingIfNeeded: vector & 3) }

        /// The vector of a byte; nil when it is not valid.
        @inlinable public static func vector(ofEntry entry: UInt32) -> Int? { entry & 0x80 == 0 ? nil : Int(entry & 3) }

        @inlinable
        public mutating func setReceive(queue: Int, vector: Int) {
            rawValue = Self.receiveField(queue).insert(Self.entry(vector: vector), into: rawValue)
        }
        @inlinable public func receiveVector(queue: Int) -> Int? { Self.vector(ofEntry: Self.receiveField(queue).extract(rawValue)) }
        @inlinable public func transmitVector(queue: Int) -> Int? { Self.vector(ofEntry: Self.transmitField(queue).extract(rawValue)) }

        public static var namedFlags: [(name: String, flag: Self)] { [] }
        public static var namedFields: [(name: String, field: BitField)] {
            [("RX0", receiveField(0)), ("TX0", transmitField(0)), ("RX1", receiveField(1)), ("TX1", transmitField(1))]
        }
    }
}
