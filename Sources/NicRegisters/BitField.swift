/// A run of bits of a register or descriptor word. Both ways mask, so that no value reaches its neighbours.
@frozen
public struct BitField: BitwiseCopyable, Sendable, Equatable {
    /// Lowest bit's number.
    public let shift: UInt32
    /// Number of bits, 1 to 31.
    public let width: UInt32

    @inlinable
    public init(shift: UInt32, width: UInt32) {
        self.shift = shift
        self.width = width
    }

    /// The field's bits in place.
    @inlinable public var mask: UInt32 { ((1 &<< width) &- 1) &<< shift }

    /// Largest value that fits.
    @inlinable public var maximum: UInt32 { (1 &<< width) &- 1 }

    /// The field of `bits`, shifted down.
    @inlinable
    public func extract(_ bits: UInt32) -> UInt32 { (bits &>> shift) & maximum }

    /// `bits` with the field replaced; what does not fit in the field is cut off.
    @inlinable
    public func insert(_ value: UInt32, into bits: UInt32) -> UInt32 {
        (bits & ~mask) | ((value & maximum) &<< shift)
    }
}
