import DeviceMemory

/// A part of the guest's memory in one piece of this process.
struct GuestPiece: Hashable {
    /// By the guest's own addresses.
    let range: IOVARange
    let processAddress: UInt64
    let access: DMAAccess

    init(range: IOVARange, processAddress: UInt64, access: DMAAccess) {
        self.range = range
        self.processAddress = processAddress
        self.access = access
    }

    /// The same memory in pieces that end where an address is a multiple of so many bytes.
    func cut(_ byteCount: UInt64) -> [GuestPiece] {
        var pieces: [GuestPiece] = []
        var next: UInt64? = range.start.rawValue
        while let first = next {
            let last = min(IOVA(first).pieceBounds(byteCount).upperBound.rawValue, range.last)
            guard let part = IOVARange(first: first, last: last) else { preconditionFailure("a part of a range") }
            pieces.append(
                GuestPiece(range: part, processAddress: processAddress + (first - range.start.rawValue), access: access))
            next = last < range.last ? last + 1 : nil
        }
        return pieces
    }

    init(_ piece: DMASpace.Piece) { self.init(range: piece.range, processAddress: piece.window.processAddress, access: piece.access) }
}

extension DMASpace {
    /// All of a guest's memory, ascending.
    var guestPieces: [GuestPiece] {
        guard let everything = IOVARange(first: 0, last: .max - 1) else { return [] }
        return pieces(of: everything).map(GuestPiece.init)
    }

    /// What lies behind a mapping, in the mapping's order.
    /// - Returns: nil if a part of it is no memory of the guest, or permits nothing of what the mapping does.
    func guestPieces(behind mapping: IOVAMapping) -> [GuestPiece]? {
        guard let behind = IOVARange(start: IOVA(mapping.physical.rawValue), byteCount: mapping.range.byteCount) else { return nil }
        var found: [GuestPiece] = []
        var next = behind.start.rawValue
        for piece in pieces(of: behind) {
            let access = piece.access.intersection(mapping.access)
            guard piece.range.start.rawValue == next, !access.isEmpty else { return nil }
            found.append(GuestPiece(range: piece.range, processAddress: piece.window.processAddress, access: access))
            next = piece.range.last &+ 1
        }
        return next == behind.last &+ 1 ? found : nil
    }
}
