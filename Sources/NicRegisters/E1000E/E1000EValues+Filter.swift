/// Values of the 82574L's filter registers.
///
/// Names and bits of RAH: E1000_NAME_* of Linux
/// drivers/net/ethernet/intel/e1000e/defines.h and, where that header lacks them, of QEMU hw/net/e1000x_regs.h and
/// hw/net/e1000_regs.h. Fields give the value shifted down.

extension E1000E {
    /// Upper 16 bits of a receive address. E1000_RAH_AV.
    @frozen
    public struct ReceiveAddressHigh: RegisterFlags {
        public var rawValue: UInt32
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The address is in use.
        @inlinable public static var valid: Self { Self(rawValue: 1 << 31) }

        /// Bytes 4 and 5, byte 4 low.
        @inlinable public static var addressField: BitField { BitField(shift: 0, width: 16) }
        /// Bytes 4 and 5, byte 4 low.
        @inlinable public var address: UInt32 {
            get { Self.addressField.extract(rawValue) }
            set { rawValue = Self.addressField.insert(newValue, into: rawValue) }
        }

        public static var namedFlags: [(name: String, flag: Self)] {
            [
                ("AV", .valid)
            ]
        }
        public static var namedFields: [(name: String, field: BitField)] {
            [
                ("ADDRESS", addressField)
            ]
        }
    }
}
