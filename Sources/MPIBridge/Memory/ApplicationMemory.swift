/// A piece of the application's memory that it lent for one operation.
@frozen public struct MemoryPiece: BitwiseCopyable, Sendable {
    public var address: UInt
    public var byteCount: Int
    @inlinable public init(address: UInt, byteCount: Int) {
        self.address = address
        self.byteCount = byteCount
    }
}

/// Up to four pieces of the application's memory, one after the other: where a message comes from or goes to.
///
/// Safety duty of whoever makes one: the pieces stay the operation's until its completion.
@safe @frozen public struct ApplicationMemory: BitwiseCopyable, @unchecked Sendable {
    public static let maximumPieceCount = 4

    @usableFromInline var pieces: (MemoryPiece, MemoryPiece, MemoryPiece, MemoryPiece)
    /// Of all pieces together.
    public let byteCount: Int

    // SAFETY: no bytes, which nobody can touch.
    public static let none = unsafe ApplicationMemory(address: 0, byteCount: 0)

    @unsafe @inlinable public init(address: UInt, byteCount: Int) {
        let empty = MemoryPiece(address: 0, byteCount: 0)
        pieces = (MemoryPiece(address: address, byteCount: byteCount), empty, empty, empty)
        self.byteCount = byteCount
    }

    /// nil for more than ``maximumPieceCount`` pieces, or a sum that no memory holds.
    @unsafe public init?(count: Int, piece: (Int) -> MemoryPiece) {
        guard (0...Self.maximumPieceCount).contains(count) else { return nil }
        let empty = MemoryPiece(address: 0, byteCount: 0)
        pieces = (empty, empty, empty, empty)
        var sum = 0
        for index in 0..<count {
            let next = piece(index)
            let (total, overflow) = sum.addingReportingOverflow(next.byteCount)
            guard next.byteCount >= 0, !overflow else { return nil }
            sum = total
            switch index {
            case 0: pieces.0 = next
            case 1: pieces.1 = next
            case 2: pieces.2 = next
            default: pieces.3 = next
            }
        }
        byteCount = sum
    }

    /// Where the first piece begins.
    public var firstAddress: UInt { pieces.0.address }
}
