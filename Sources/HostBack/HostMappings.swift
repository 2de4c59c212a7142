public import DeviceAccess
public import DeviceMemory
public import IOMMURelay

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
    /// Where mappings begin that are not carried out, since the guest's memory went from under them.
    private var unbacked: Set<IOVA> = []
    /// Why a part of the journal is not carried out, after the guest's memory became another; for a person who looks in.
    public private(set) var lastFailure: HostMapperError?

    init(_ space: Space, guest: DMASpace, isIdentity: Bool = false) {
        self.space = space
        self.guest = guest
        self.isIdentity = isIdentity
        known = guest.guestPieces
    }

    /// Pinning takes the kernel some ten milliseconds then, in which no other message is looked at.
    public var maximumPieceByteCount: UInt64 { 64 << 20 }

    public var mappingCount: Int { journal.count }
    public var isEmpty: Bool { journal.count == 0 }

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

    public func unmapAll() {
        guard !isEmpty else { return }
        journal.removeAll()
        unbacked = []
        dropAll()
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
        journal.visit(from: IOVA(0)) { mapping in
            carryAgain(mapping)
            return true
        }
    }

    private func carryAgain(_ mapping: IOVAMapping) {
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
            for mapping in touched { unmap(mapping.range) }
            do throws(HostMapperError) { try mapIdentity(known.filter { !before.contains($0) }) } catch { lastFailure = error }
        } else {
            for mapping in touched where !unbacked.contains(mapping.range.start) { drop(mapping.range) }
            for mapping in touched { carryAgain(mapping) }
        }
    }

    /// Maps all of the guest's memory at its own addresses.
    func mapIdentity() throws(HostMapperError) { try mapIdentity(known) }

    private func mapIdentity(_ pieces: [GuestPiece]) throws(HostMapperError) {
        for piece in pieces {
            try map(IOVAMapping(range: piece.range, physical: GuestPhysicalAddress(piece.range.start.rawValue), access: piece.access))
        }
    }
}
