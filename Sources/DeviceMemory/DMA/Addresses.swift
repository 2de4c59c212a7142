// Ranges are half-open everywhere. Arithmetic on addresses that a peer chose is checked and gives nil.

/// An address as the device sees it: what the IOMMU translates.
@frozen public struct IOVA: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public let rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static func < (a: IOVA, b: IOVA) -> Bool { a.rawValue < b.rawValue }
    /// nil past the top of the address space.
    @inlinable public func advanced(by byteCount: UInt64) -> IOVA? {
        let (sum, overflow) = rawValue.addingReportingOverflow(byteCount)
        return overflow ? nil : IOVA(sum)
    }
    public var description: String { "0x" + String(rawValue, radix: 16) }
}

/// An address in a guest's memory as the guest itself sees it.
@frozen public struct GuestPhysicalAddress: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public let rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public static func < (a: GuestPhysicalAddress, b: GuestPhysicalAddress) -> Bool { a.rawValue < b.rawValue }
    /// nil past the top of the address space.
    @inlinable public func advanced(by byteCount: UInt64) -> GuestPhysicalAddress? {
        let (sum, overflow) = rawValue.addingReportingOverflow(byteCount)
        return overflow ? nil : GuestPhysicalAddress(sum)
    }
    public var description: String { "0x" + String(rawValue, radix: 16) }
}

/// `byteCount` bytes from `start`, at least one, the last one still inside 64 bits.
@frozen public struct IOVARange: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public let start: IOVA
    public let byteCount: UInt64

    /// nil for an empty range and for one that runs past the top of the address space.
    @inlinable public init?(start: IOVA, byteCount: UInt64) {
        guard byteCount > 0, !start.rawValue.addingReportingOverflow(byteCount - 1).overflow else { return nil }
        self.start = start
        self.byteCount = byteCount
    }

    /// `first...last`, both inside.
    @inlinable public init?(first: UInt64, last: UInt64) {
        guard first <= last, last - first < .max else { return nil }
        start = IOVA(first)
        byteCount = last - first + 1
    }

    private init(empty start: IOVA) {
        self.start = start
        byteCount = 0
    }

    /// The one range that holds no address: a place where a range may be put.
    static var nothing: IOVARange { IOVARange(empty: IOVA(0)) }

    /// The last address inside.
    @inlinable public var last: UInt64 { start.rawValue &+ (byteCount &- 1) }

    /// The same addresses: what also the whole space can be said as.
    @inlinable public var addresses: ClosedRange<IOVA> { start...IOVA(last) }

    @inlinable public func contains(_ iova: IOVA) -> Bool { iova.rawValue &- start.rawValue < byteCount }
    @inlinable public func contains(_ other: IOVARange) -> Bool { start <= other.start && other.last <= last }
    @inlinable public func overlaps(_ other: IOVARange) -> Bool { start.rawValue <= other.last && other.start.rawValue <= last }
    public var description: String { "\(start)…0x\(String(last, radix: 16))" }
}

/// What the device may do with mapped memory.
@frozen public struct DMAAccess: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    @inlinable public static var read: DMAAccess { DMAAccess(rawValue: 1) }
    @inlinable public static var write: DMAAccess { DMAAccess(rawValue: 2) }
    @inlinable public static var readWrite: DMAAccess { [.read, .write] }
}
