import CLibfabric
import MPIBridge

extension ApplicationMemory {
    /// One piece of an operation. nil: a length that no memory has, or one of NULL.
    @unsafe @inline(__always) init?(_ address: UnsafeRawPointer?, _ byteCount: Int) {
        // SAFETY: the application lends the memory until the operation's completion (fi_msg(3)).
        guard unsafe byteCount == 0 || address != nil && byteCount > 0 else { return nil }
        unsafe self.init(address: UInt(bitPattern: address), byteCount: byteCount)
    }

    /// Pieces of an operation. nil: more than ``ApplicationMemory/maximumPieceCount``, or one that is none.
    @unsafe init?(_ pieces: UnsafePointer<iovec>?, count: Int) {
        if count == 0 {
            self = .none
            return
        }
        // SAFETY: `count` pieces (fi_msg(3)), read once.
        guard let pieces = unsafe pieces, (1...Self.maximumPieceCount).contains(count) else { return nil }
        unsafe self.init(count: count) { index in
            // SAFETY: as above.
            unsafe MemoryPiece(address: UInt(bitPattern: pieces[index].iov_base), byteCount: Int(pieces[index].iov_len))
        }
    }
}
