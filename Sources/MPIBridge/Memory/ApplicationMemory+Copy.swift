public import DeviceMemory

extension ApplicationMemory {
    /// Copies bytes of a frame into the application's memory, `offset` bytes behind its start.
    public func fill(from window: MemoryWindow, at start: Int, byteCount: Int, offset: Int) {
        // SAFETY: whoever made this memory lent it for the time of the operation; the part lies inside of it.
        unsafe forEachPart(offset: offset, byteCount: byteCount) { address, done, count in
            unsafe window.copy(at: start &+ done, byteCount: count, to: MemoryWindow(address, byteCount: count), at: 0)
        }
    }

    /// Copies the application's bytes, `offset` bytes behind the start, into a frame.
    public func copy(offset: Int, byteCount: Int, to window: MemoryWindow, at start: Int) {
        unsafe forEachPart(offset: offset, byteCount: byteCount) { address, done, count in
            // SAFETY: as fill(from:at:byteCount:offset:).
            unsafe MemoryWindow(address, byteCount: count).copy(at: 0, byteCount: count, to: window, at: start &+ done)
        }
    }

    /// ``copy(offset:byteCount:to:at:)``, with the sum of the bytes (``DatagramSum``), as if they began at an even offset.
    func copySumming(offset: Int, byteCount: Int, to window: MemoryWindow, at start: Int) -> UInt64 {
        var sum: UInt64 = 0
        // SAFETY: as fill(from:at:byteCount:offset:).
        unsafe forEachPart(offset: offset, byteCount: byteCount) { address, done, count in
            let part = unsafe MemoryWindow(address, byteCount: count).copySumming(at: 0, byteCount: count, to: window, at: start &+ done)
            // RFC 1071 §2 (B): from an odd byte on, the halves of each word change places.
            sum &+= UInt64(done & 1 == 0 ? part : part.byteSwapped)
        }
        return sum
    }

    /// The first piece: all of a region's memory. nil: it is empty.
    var firstPiece: MemoryWindow? {
        guard pieces.0.byteCount > 0 else { return nil }
        // SAFETY: as fill(from:at:byteCount:offset:).
        return unsafe UnsafeMutableRawPointer(bitPattern: pieces.0.address).map { unsafe MemoryWindow($0, byteCount: pieces.0.byteCount) }
    }

    /// This memory without its first bytes, and of at most so many.
    func part(offset: Int, byteCount: Int) -> ApplicationMemory {
        var list = [MemoryPiece]()
        // SAFETY: only addresses are taken; nothing goes through them.
        unsafe forEachPart(offset: offset, byteCount: byteCount) { address, _, count in
            list.append(MemoryPiece(address: UInt(bitPattern: address), byteCount: count))
        }
        // SAFETY: parts of memory that is lent already; there are no more of them than pieces.
        return unsafe ApplicationMemory(count: list.count) { list[$0] } ?? .none
    }

    @inline(__always)
    private func forEachPart(offset: Int, byteCount: Int, _ body: (UnsafeMutableRawPointer, _ done: Int, _ count: Int) -> Void) {
        precondition(offset >= 0 && byteCount >= 0 && byteCount <= self.byteCount &- offset, "bytes outside of a buffer")
        var skip = offset
        var done = 0
        for index in 0..<Self.maximumPieceCount where done < byteCount {
            let piece = self[index]
            if skip >= piece.byteCount {
                skip &-= piece.byteCount
                continue
            }
            let count = min(piece.byteCount &- skip, byteCount &- done)
            // SAFETY: an address inside of a piece that the application lent. A null one has no bytes to it, or the application is wrong.
            if let address = unsafe UnsafeMutableRawPointer(bitPattern: piece.address &+ UInt(skip)) { unsafe body(address, done, count) }
            skip = 0
            done &+= count
        }
    }

    private subscript(index: Int) -> MemoryPiece {
        switch index {
        case 0: pieces.0
        case 1: pieces.1
        case 2: pieces.2
        default: pieces.3
        }
    }
}
