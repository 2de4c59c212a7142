public import DeviceMemory

/// Why a mapping was not carried out.
public enum HostMapperError: Error, Equatable, Sendable {
    /// The host has no room: memory, locked memory, or entries.
    case noMemory(String)
    /// The host cannot map there, or not this memory.
    case notMappable(String)
    /// The host failed otherwise.
    case failed(String)
}

/// Carries the mappings of one domain out, for one or more endpoints. Nothing here blocks for longer than a piece of
/// ``maximumPieceByteCount`` takes; who has to wait for somebody else ``answersLater``.
public protocol HostMapper: AnyObject {
    /// A mapping is handed over in pieces of at most so many bytes, a multiple of every page.
    var maximumPieceByteCount: UInt64 { get }
    /// Whether a call costs enough that neighbours should come as one piece: docs/decisions/0009.
    var joinsNeighbours: Bool { get }
    /// Whether ``map(_:)`` and ``unmap(_:)`` only ask: ``isDone()`` tells then when it is done, and nothing else is asked before.
    var answersLater: Bool { get }
    /// Whether what was asked is done. Throws what ``map(_:)`` would have thrown, then nothing of the piece is mapped.
    func isDone() throws(HostMapperError) -> Bool
    /// How much one step maps, if it is more than one piece; what comes in smaller ones.
    var maximumStepByteCount: UInt64 { get }
    /// Does a part of what a map of the piece needs first and takes long. True: it can be mapped.
    func prepareStep(_ piece: IOVAMapping) -> Bool
    /// Maps a piece; neither it nor a part of it is mapped yet.
    func map(_ piece: IOVAMapping) throws(HostMapperError)
    /// Removes what is mapped inside of the range; pieces are whole. When it returns no DMA reaches that memory.
    func unmap(_ range: IOVARange)
    /// Removes everything. When it returns no DMA gets through.
    func unmapAll()
    /// Removes at most about as much as one piece of ``maximumPieceByteCount``. True: nothing is left.
    func unmapStep() -> Bool
}

extension HostMapper {
    public var joinsNeighbours: Bool { true }
    public var answersLater: Bool { false }
    public func isDone() throws(HostMapperError) -> Bool { true }
    public var maximumStepByteCount: UInt64 { maximumPieceByteCount }
    public func prepareStep(_ piece: IOVAMapping) -> Bool { true }

    /// For mappers whose calls take no time.
    public func unmapStep() -> Bool {
        unmapAll()
        return true
    }

    /// Whether a mapping is one piece.
    func takesAtOnce(_ range: IOVARange) -> Bool {
        let most = maximumPieceByteCount
        return range.start.rawValue / most == range.last / most
    }
}

/// What stands between an endpoint and memory: a device model's view of it, or the host's IOMMU.
public protocol EndpointBack: AnyObject {
    /// The mapper that carries a domain's mappings for this endpoint. Endpoints that are attached to one domain may share
    /// one; a mapper that is new to a domain is empty.
    func mapper(forDomain domain: UInt32) throws(HostMapperError) -> any HostMapper
    /// From now on the endpoint's DMA goes through this mapper, whose mappings are those of the domain.
    func use(_ mapper: any HostMapper) throws(HostMapperError)
    /// Whether ``use(_:)`` comes before a new mapper gets the domain's mappings. Where an address space without devices costs the
    /// host nothing, one that is full is costly to go into.
    var entersEmptyMappers: Bool { get }
    /// From now on the endpoint reaches guest memory by its own addresses.
    func bypass() throws(HostMapperError)
    /// From now on no DMA of the endpoint gets through. When it returns, and ``isSettled`` is true, what was in flight is done.
    /// Never fails.
    func block()
    /// Whether all that was asked for is done.
    var isSettled: Bool { get }
    /// Waits for that, as long as a deadline permits.
    func settle()
    /// A part of ``bypass()`` that takes no longer than a piece of a mapping. True: it is done.
    func bypassStep() throws(HostMapperError) -> Bool
    /// A part of ``block()`` that takes no longer than a piece of a mapping. True: it is done.
    func blockStep() -> Bool
}

/// For backs whose calls take no time.
extension EndpointBack {
    public var entersEmptyMappers: Bool { false }
    public var isSettled: Bool { true }
    public func settle() {}

    public func bypassStep() throws(HostMapperError) -> Bool {
        try bypass()
        return true
    }

    public func blockStep() -> Bool {
        block()
        return true
    }
}
