/// Posting what goes out.
extension MessageEndpoint {
    /// Sends a message. One that can go at once is gone, and complete, when this returns.
    public mutating func send(_ request: SendRequest, now: UInt64) -> Posting {
        let peer = request.peer.index
        guard peers.isInUse(peer) else { return .refused(.unknownPeer) }
        guard !peers[peer].hasFailed else { return .refused(refusal) }
        guard hasCompletionRoom else { return .tryAgain }
        var operation = SendOperation(request)
        if peers[peer].messages.isEmpty, canSendWhole(operation) {
            charge(operation)
            while operation.stage != .awaitingOutcome { emitEager(&operation, now: now) }
            flush()
            counters.messagesSent &+= 1
            if request.options.contains(.completes) { completeSend(operation) }
            return .accepted
        }
        return post(&operation, now: now)
    }

    /// Reads or writes a peer's registered memory.
    public mutating func access(_ request: RemoteMemoryRequest, now: UInt64) -> Posting {
        let peer = request.peer.index
        guard peers.isInUse(peer) else { return .refused(.unknownPeer) }
        guard !peers[peer].hasFailed else { return .refused(refusal) }
        guard hasCompletionRoom else { return .tryAgain }
        switch request.direction {
        case .read: return postRead(request, now: now)
        case .write:
            var operation = SendOperation(request)
            return post(&operation, now: now)
        }
    }

    /// Queues an operation behind those of its peer and sends what may go.
    private mutating func post(_ operation: inout SendOperation, now: UInt64) -> Posting {
        guard sends.count < options.sendCapacity else { return .tryAgain }
        operation.generation = nextGeneration()
        if operation.options.contains(.inject) {
            let byteCount = operation.memory.byteCount
            guard byteCount <= injectLimit else { return .refused(.tooLong) }
            guard let block = blocks.take(byteCount: byteCount) else { return .tryAgain }
            if let window = block.window { operation.memory.copy(offset: 0, byteCount: byteCount, to: window, at: 0) }
            operation.block = block
            operation.memory = block.memory
        }
        guard let index = sends.take(operation) else { return .tryAgain }
        enqueue(index, in: .messages, of: operation.peer)
        pump(operation.peer, now: now)
        flush()
        return .accepted
    }

    mutating func enqueue(_ index: UInt32, in kind: QueueKind, of peer: UInt32) {
        sends[index].next = .max
        var queue = peers[peer][kind]
        if queue.isEmpty { queue.first = index } else { sends[queue.last].next = index }
        queue.last = index
        peers[peer][kind] = queue
    }

    /// Ends an operation in the slab.
    mutating func finishSend(_ index: UInt32, error: TransportError? = nil) {
        let operation = sends[index]
        sends.give(index)
        blocks.give(operation.block)
        if operation.kind == .reply { return served(operation.peer) }
        if operation.kind == .write, operation.stage != .waiting { requestEnded(operation.peer) }
        if operation.kind == .message, error == nil { counters.messagesSent &+= 1 }
        if error != nil || operation.options.contains(.completes) { completeSend(operation, error: error) }
    }

    mutating func completeSend(_ operation: SendOperation, error: TransportError? = nil) {
        var completion = Completion(
            kind: operation.kind == .write ? .write : .send, space: operation.space, context: operation.context,
            peer: PeerID(index: operation.peer), byteCount: operation.memory.byteCount, error: error)
        completion.options = operation.options
        completions.append(completion)
    }
}

extension BlockCache.Block {
    var memory: ApplicationMemory {
        guard let window else { return .none }
        // SAFETY: the block is the operation's until it is given back.
        return unsafe ApplicationMemory(address: UInt(window.processAddress), byteCount: byteCount)
    }
}
