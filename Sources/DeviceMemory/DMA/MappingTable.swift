/// What a guest asked to be mapped: IOVAs onto guest memory of the same length.
public struct IOVAMapping: DMARanged, Equatable, Sendable, BitwiseCopyable {
    public let range: IOVARange
    public let physical: GuestPhysicalAddress
    public let access: DMAAccess

    public init(range: IOVARange, physical: GuestPhysicalAddress, access: DMAAccess) {
        self.range = range
        self.physical = physical
        self.access = access
    }
}

/// The mappings of one address space that somebody else carries out: disjoint, each as it was asked for, never merged or cut.
public struct MappingTable: ~Copyable {
    public enum Removal: Equatable, Sendable {
        /// All that were inside of the range, ascending.
        case removed([IOVAMapping])
        /// Nothing was removed, since this one is only partly inside.
        case cut(IOVAMapping)
    }

    private var table = DMATable<IOVAMapping>()
    /// Modulo 2^64: zero also when every address is mapped.
    public private(set) var mappedByteCount: UInt64 = 0

    public init() {}

    public var count: Int { table.count }
    /// What the table itself takes of this process's memory.
    public var memoryByteCount: Int { table.memoryByteCount }

    /// False, and nothing is changed, when another mapping overlaps it.
    public mutating func insert(_ mapping: IOVAMapping) -> Bool {
        // Disjoint: the last one that starts in or before the range reaches into it, or none does.
        if overlaps(mapping.range) { return false }
        table.insert(mapping)
        mappedByteCount &+= mapping.range.byteCount
        return true
    }

    public func mapping(holding iova: IOVA) -> IOVAMapping? {
        guard let found = table.last(startingUpTo: iova.rawValue), found.range.contains(iova) else { return nil }
        return found
    }

    /// Whether one overlaps the range.
    public func overlaps(_ range: IOVARange) -> Bool { table.last(startingUpTo: range.last)?.range.overlaps(range) ?? false }

    /// The lowest one that overlaps the addresses.
    public func first(overlapping addresses: ClosedRange<IOVA>) -> IOVAMapping? {
        table.first(overlapping: addresses.lowerBound.rawValue, through: addresses.upperBound.rawValue)
    }

    /// The highest one that overlaps the addresses.
    public func last(overlapping addresses: ClosedRange<IOVA>) -> IOVAMapping? {
        guard let found = table.last(startingUpTo: addresses.upperBound.rawValue), found.range.last >= addresses.lowerBound.rawValue else {
            return nil
        }
        return found
    }

    /// One that lies only partly inside of the addresses.
    public func mapping(cutBy addresses: ClosedRange<IOVA>) -> IOVAMapping? {
        table.entry(cutBy: addresses.lowerBound.rawValue, through: addresses.upperBound.rawValue)
    }

    /// Removes all mappings inside of the addresses, or none. virtio 1.3 §5.13.6.4.
    public mutating func remove(_ addresses: ClosedRange<IOVA>) -> Removal {
        if let cut = mapping(cutBy: addresses) { return .cut(cut) }
        var removed: [IOVAMapping] = []
        removeMappings(startingIn: addresses) { removed.append($0) }
        return .removed(removed)
    }

    /// The same when none is cut, as the caller knows.
    public mutating func removeMappings(startingIn addresses: ClosedRange<IOVA>, _ removed: (IOVAMapping) -> Void) {
        var byteCount: UInt64 = 0
        table.remove(addresses.lowerBound.rawValue, through: addresses.upperBound.rawValue) {
            byteCount &+= $0.range.byteCount
            removed($0)
        }
        mappedByteCount &-= byteCount
    }

    public mutating func removeAll() {
        table.removeAll()
        mappedByteCount = 0
    }

    /// Shows the mappings that start at `iova` or above, ascending, until `body` returns false. A walk done in parts goes on
    /// behind the last one that it saw.
    public func visit(from iova: IOVA, _ body: (IOVAMapping) -> Bool) { table.visit(from: iova.rawValue, body) }
}
