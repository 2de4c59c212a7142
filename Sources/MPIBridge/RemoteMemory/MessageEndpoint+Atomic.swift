import DeviceMemory

/// Atomic accesses, carried by messages: who owns the memory works on it while it makes progress. One frame brings the operands; old
/// values go back as those of a read do.
extension MessageEndpoint {
    /// Bytes that operands and comparands together have at most, and that old values have.
    public var atomicLimit: Int { frameByteCount &- FrameKind.atomic.headerByteCount }

    /// Refused with ``TransportError/tooLong`` above ``atomicLimit``.
    public mutating func access(_ request: AtomicRequest, now: UInt64) -> Posting {
        let peer = request.peer.index
        guard peers.isInUse(peer) else { return .refused(.unknownPeer) }
        guard !peers[peer].hasFailed else { return .refused(refusal) }
        let limit = atomicLimit / (request.access.type.byteCount &* max(1, request.access.operandCount))
        guard request.count <= limit else { return .refused(.tooLong) }
        precondition(request.count > 0 && request.isConsistent, "an atomic access of other lengths than it says")
        guard hasCompletionRoom, receives.count < options.receiveCapacity, sends.count < options.sendCapacity, sends.freeCount > 0,
            let block = blocks.take(byteCount: request.operands.byteCount &+ request.comparands.byteCount)
        else { return .tryAgain }
        guard let answer = postAnswer(to: request) else {
            blocks.give(block)
            return .tryAgain
        }
        if let window = block.window {
            request.operands.copy(offset: 0, byteCount: request.operands.byteCount, to: window, at: 0)
            request.comparands.copy(offset: 0, byteCount: request.comparands.byteCount, to: window, at: request.operands.byteCount)
        }
        var operation = SendOperation(request, block: block, answer: answer)
        operation.generation = nextGeneration()
        guard let index = sends.take(operation) else { preconditionFailure("a free place that is none") }
        enqueue(index, in: .messages, of: peer)
        pump(peer, now: now)
        flush()
        return .accepted
    }

    /// What waits for the old values, or for word that it is done.
    private mutating func postAnswer(to request: AtomicRequest) -> OperationName? {
        let receive = ReceiveRequest(
            from: request.peer, space: .untagged, memory: request.result, context: request.context, options: request.options)
        guard let index = postReceive(receive) else { return nil }
        receives[index].kind = request.access.returnsOld ? .fetch : .update
        receives[index].isMatched = true
        receives[index].source = request.peer.index
        receives[index].totalByteCount = request.result.byteCount
        receives[index].expectedByteCount = request.result.byteCount
        return OperationName(receive: index, generation: receives[index].generation)
    }

    mutating func deliverAtomic(_ frame: IncomingFrame, _ window: MemoryWindow, from peer: UInt32) -> Delivery {
        let key = window.load64(at: 80), count = window.load64(at: 112)
        let name = OperationName(word: window.load64(at: 104))
        guard name.isReceive, !asksTooMuch(peer), let access = AtomicAccess(word: window.load64(at: 96)), count >= 1,
            count <= UInt64(atomicLimit / access.type.byteCount), case let byteCount = Int(count) &* access.type.byteCount,
            frame.payloadByteCount == byteCount &* access.operandCount
        else { return .violation }
        guard controls.freeCount > 0, sends.freeCount > 0, hasCompletionRoom else { return .notNow }
        guard
            let memory = regions.part(
                key, offset: window.load64(at: 88), byteCount: UInt64(byteCount), for: access.access, by: peer)?.firstPiece
        else {
            counters.accessesRefused &+= 1
            return answer(name, with: .remoteAccess, to: peer)
        }
        guard let old = blocks.take(byteCount: access.returnsOld ? byteCount : 0) else { return .notNow }
        // From here on it happens, and once.
        if let place = old.window { memory.copy(at: 0, byteCount: byteCount, to: place, at: 0) }
        access.apply(to: memory, operands: window.slice(at: frame.kind.headerByteCount, byteCount: frame.payloadByteCount))
        counters.atomicsServed &+= 1
        reportAccess(access.returnsOld ? .remoteRead : .remoteWrite, key: key, byteCount: byteCount, by: peer)
        guard access.returnsOld else { return answer(name, with: nil, to: peer) }
        var reply = SendOperation(reply: old.memory, to: name, of: peer)
        reply.block = old
        reply.generation = nextGeneration()
        guard let index = sends.take(reply) else { preconditionFailure("a free place that is none") }
        peers[peer].requests.served &+= 1
        enqueue(index, in: .bulk, of: peer)
        callAttention(peer)
        return .done
    }
}

extension AtomicAccess {
    /// - Parameter operands: as many bytes as the memory has, for each of ``operandCount``.
    fileprivate func apply(to memory: MemoryWindow, operands: MemoryWindow) {
        guard operation != .read else { return }
        let size = type.byteCount
        for offset in stride(from: 0, to: memory.byteCount, by: size) {
            let comparand = operandCount > 1 ? operands.loadBits(at: memory.byteCount &+ offset, byteCount: size) : 0
            let old = memory.loadBits(at: offset, byteCount: size)
            memory.storeBits(combine(old, operands.loadBits(at: offset, byteCount: size), comparand), at: offset, byteCount: size)
        }
    }
}

extension MemoryWindow {
    fileprivate func loadBits(at offset: Int, byteCount: Int) -> UInt64 {
        switch byteCount {
        case 1: UInt64(load8(at: offset))
        case 2: UInt64(load16(at: offset))
        case 4: UInt64(load32(at: offset))
        default: load64(at: offset)
        }
    }

    fileprivate func storeBits(_ bits: UInt64, at offset: Int, byteCount: Int) {
        switch byteCount {
        case 1: store8(UInt8(truncatingIfNeeded: bits), at: offset)
        case 2: store16(UInt16(truncatingIfNeeded: bits), at: offset)
        case 4: store32(UInt32(truncatingIfNeeded: bits), at: offset)
        default: store64(bits, at: offset)
        }
    }
}
