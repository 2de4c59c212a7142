/// The end of a region.
extension MessageEndpoint {
    /// Nobody reaches the memory when this returns. Reads that all bytes were sent for end well; others end with
    /// ``TransportError/remoteAccess`` at who asked. A peer whose write is coming in has failed. False: there is no such region.
    public mutating func unregister(key: UInt64) -> Bool {
        guard regions.remove(key) else { return false }
        for index in 0..<UInt32(receives.touched) where receives.isInUse(index) && receives[index].regionKey == key {
            fail(receives[index].source)
        }
        for index in 0..<UInt32(sends.touched) where sends.isInUse(index) && sends[index].regionKey == key { detach(index) }
        return true
    }

    /// An answer to a read goes on without its region: what is on its way, at most a window, is copied, and the peer may take its time
    /// to acknowledge it. What was not sent yet never will be.
    private mutating func detach(_ index: UInt32) {
        let operation = sends[index]
        let peer = operation.peer
        let sent = operation.sentByteCount, over = operation.acknowledgedByteCount
        if sent < operation.grantedByteCount {
            removeFromBulk(index, of: peer)
            guard case .done = answer(operation.remoteOperation, with: .remoteAccess, to: peer) else { return fail(peer) }
        }
        guard let copy = blocks.take(byteCount: sent &- over) else { return fail(peer) }
        if let window = copy.window { operation.memory.copy(offset: over, byteCount: sent &- over, to: window, at: 0) }
        // SAFETY: the block is the operation's until it is given back; nothing is where the acknowledged bytes were, and nobody asks for them.
        let memory = unsafe ApplicationMemory(count: 2) {
            $0 == 0 ? MemoryPiece(address: 0, byteCount: over) : MemoryPiece(address: copy.memory.firstAddress, byteCount: sent &- over)
        }
        sends[index].memory = memory ?? .none
        sends[index].block = copy
        sends[index].regionKey = nil
        sends[index].grantedByteCount = sent
        if sent == over { finishSend(index) }
    }

    private mutating func removeFromBulk(_ index: UInt32, of peer: UInt32) {
        var previous: UInt32 = .max
        var current = peers[peer].bulk.first
        while current != index, current != .max { (previous, current) = (current, sends[current].next) }
        guard current == index else { return }
        let next = sends[index].next
        if previous == .max { peers[peer].bulk.first = next } else { sends[previous].next = next }
        if next == .max { peers[peer].bulk.last = previous }
    }
}
