public import DeviceAccess
public import DeviceMemory
public import IOMMURelay
import LinuxIO

/// Carries a guest's mappings out in one address space of this machine's IOMMU: IOVA → the guest's memory in this process.
///
/// It keeps a journal of what it was asked for, so that the host and the guest stay of one mind also when the guest's memory
/// becomes another. A part of a mapping is mapped with less than was asked for where the guest's memory itself permits less (ROM).
public final class HostMappings<Space: HostAddressSpace>: HostMapper {
    public let space: Space
    /// The guest's memory by its own addresses.
    private let guest: DMASpace
    private var journal = MappingTable()
    /// The guest's memory as it was when the journal was last carried out.
    private var known: [GuestPiece]
    /// All of the guest's memory is mapped at its own addresses.
    private let isIdentity: Bool
    /// Of the piece that comes next.
    private var making: PagesInTheMaking?
    /// Where mappings begin that are not carried out, since the guest's memory went from under them.
    private var unbacked: Set<IOVA> = []
    /// Called between pieces, where many are carried out in one call: others are to be served meanwhile.
    var betweenPieces: () -> Void = {}
    /// Of the guest's memory, what is not mapped at its own addresses yet; the lowest last.
    private var identityPieces: [GuestPiece] = []
    /// All of it was mapped once.
    private var identityIsMade = false
    /// Why a part of the journal is not carried out, after the guest's memory became another; for a person who looks in.
    public private(set) var lastFailure: HostMapperError?

    init(_ space: Space, guest: DMASpace, isIdentity: Bool = false) {
        self.space = space
        self.guest = guest
        self.isIdentity = isIdentity
        known = guest.guestPieces
        if isIdentity { identityPieces = missingIdentity() }
    }

    /// Pinning so many pages that are there takes the kernel some milliseconds, in which no other message is looked at.
    public var maximumPieceByteCount: UInt64 { 64 << 20 }
    /// Of smaller pieces, whose pages it makes while it pins them.
    public var maximumStepByteCount: UInt64 { 4 << 20 }

    public var mappingCount: Int { journal.count }
    public var isEmpty: Bool { journal.count == 0 }

    /// Pages that nobody has used yet are made first, for some milliseconds at a time: with pinning it is one call, which takes a
    /// fifth of a second for 64 MiB on machines that are guests themselves.
    public func prepareStep(_ piece: IOVAMapping) -> Bool {
        guard piece.range.byteCount > PagesInTheMaking.partByteCount else { return true }
        var pages = making ?? PagesInTheMaking(piece.range)
        if pages.range != piece.range { pages = PagesInTheMaking(piece.range) }
        let deadline = MonotonicClock.nanoseconds() + PagesInTheMaking.stepNanoseconds
        repeat {
            guard let part = pages.takePart() else {
                making = nil
                return true
            }
            // Those which there are not the map tells of.
            for memory in guest.guestPieces(behind: piece.part(part)) ?? [] {
                space.makePages(processAddress: memory.processAddress, byteCount: memory.range.byteCount, access: memory.access)
            }
        } while MonotonicClock.nanoseconds() < deadline
        making = pages.isDone ? nil : pages
        return pages.isDone
    }

    public func map(_ piece: IOVAMapping) throws(HostMapperError) {
        try carry(piece)
        guard journal.insert(piece) else { preconditionFailure("a piece that is mapped already") }
    }

    private func carry(_ mapping: IOVAMapping) throws(HostMapperError) {
        guard let pieces = guest.guestPieces(behind: mapping) else {
            throw .notMappable("\(mapping.range): guest-physical addresses from \(mapping.physical) on are not all memory of the guest")
        }
        for piece in pieces {
            guard let range = place(of: piece, in: mapping) else { preconditionFailure("a piece outside of its mapping") }
            do throws(HostMapRefusal) {
                try space.map(range, processAddress: piece.processAddress, access: piece.access)
            } catch {
                if range.start > mapping.range.start,
                    let before = IOVARange(first: mapping.range.start.rawValue, last: range.start.rawValue - 1)
                {
                    drop(before)
                }
                throw HostMapperError(error)
            }
        }
    }

    private func place(of piece: GuestPiece, in mapping: IOVAMapping) -> IOVARange? {
        mapping.range.start.advanced(by: piece.range.start.rawValue &- mapping.physical.rawValue).flatMap {
            IOVARange(start: $0, byteCount: piece.range.byteCount)
        }
    }

    public func unmap(_ range: IOVARange) {
        guard case .removed(let mappings) = journal.remove(range.addresses) else { preconditionFailure("a mapping is cut by an unmap") }
        let isBacked = mappings.contains { !unbacked.contains($0.range.start) }
        if !unbacked.isEmpty { for mapping in mappings { unbacked.remove(mapping.range.start) } }
        if isBacked { drop(range) }
    }

    public func unmapAll() { while !unmapStep() { betweenPieces() } }

    public func unmapStep() -> Bool {
        var turn = HostTurn()
        while let lowest = journal.first(overlapping: IOVA(0)...IOVA(.max)) {
            let end = lowest.range.start.pieceBounds(maximumPieceByteCount).upperBound
            let last = max(lowest.range.last, journal.last(overlapping: lowest.range.start...end)?.range.last ?? 0)
            guard let range = IOVARange(first: lowest.range.start.rawValue, last: last) else { preconditionFailure("a range of ranges") }
            guard turn.grants(range.byteCount, of: maximumPieceByteCount) else { return false }
            unmap(range)
        }
        return true
    }

    private func drop(_ range: IOVARange) {
        do throws(DeviceError) { try space.unmap(range) } catch {
            // The kernel and this table are not of one mind: begin anew.
            dropAll()
            carryAll()
        }
    }

    /// Ends the process rather than leave the device what is not the guest's any more: the guardian then quiets it.
    private func dropAll() {
        do throws(DeviceError) { try space.unmapAll() } catch { fatalError("the host kept mappings of a guest: \(error)") }
    }

    private func carryAll() {
        var mappings: [IOVAMapping] = []
        journal.visit(from: IOVA(0)) { mapping in
            mappings.append(mapping)
            return true
        }
        inTurns(mappings) { carryAgain($0) }
    }

    /// What may be long, with turns of others in it.
    private func inTurns(_ mappings: [IOVAMapping], _ body: (IOVAMapping) -> Void) {
        var turn = HostTurn()
        for mapping in mappings {
            if !turn.grants(mapping.range.byteCount, of: maximumPieceByteCount) {
                betweenPieces()
                turn = HostTurn(mapping.range.byteCount)
            }
            body(mapping)
        }
    }

    private func carryAgain(_ mapping: IOVAMapping) {
        while !prepareStep(mapping) { betweenPieces() }
        do throws(HostMapperError) {
            try carry(mapping)
            unbacked.remove(mapping.range.start)
        } catch {
            unbacked.insert(mapping.range.start)
            lastFailure = error
        }
    }

    // MARK: The guest's memory

    /// The guest's memory became another (memory was plugged, a region moved): what lies on a part that went or changed is
    /// unmapped before this returns, and mapped again where there is memory now. All else stays as it is, with DMA going on.
    public func guestMemoryChanged() {
        let before = Set(known)
        known = guest.guestPieces
        let now = Set(known)
        let changed = before.symmetricDifference(now).map(\.range)
        guard !changed.isEmpty else { return }
        var touched: [IOVAMapping] = []
        journal.visit(from: IOVA(0)) { mapping in
            let behind = IOVARange(start: IOVA(mapping.physical.rawValue), byteCount: mapping.range.byteCount)
            if let behind, changed.contains(where: { $0.overlaps(behind) }) { touched.append(mapping) }
            return true
        }
        if isIdentity {
            inTurns(touched) { unmap($0.range) }
            identityPieces = missingIdentity()
            // One that is being made goes on where it is.
            guard identityIsMade else { return }
            do throws(HostMapperError) { while try !identityStep() { betweenPieces() } } catch { lastFailure = error }
        } else {
            inTurns(touched.filter { !unbacked.contains($0.range.start) }) { drop($0.range) }
            inTurns(touched) { carryAgain($0) }
        }
    }

    // MARK: The guest's memory at its own addresses

    /// Maps a part of what is not mapped yet. True: all of it is.
    func identityStep() throws(HostMapperError) -> Bool {
        var turn = HostTurn()
        while let piece = identityPieces.last {
            guard turn.grants(piece.range.byteCount, of: maximumPieceByteCount) else { return false }
            let mapping = IOVAMapping(range: piece.range, physical: GuestPhysicalAddress(piece.range.start.rawValue), access: piece.access)
            guard prepareStep(mapping) else { return false }
            try map(mapping)
            identityPieces.removeLast()
        }
        identityIsMade = true
        return true
    }

    private func missingIdentity() -> [GuestPiece] {
        known.flatMap { $0.cut(maximumPieceByteCount) }.filter { journal.mapping(holding: $0.range.start) == nil }.reversed()
    }
}
