/// Receives that wait for messages.
extension MessageEndpoint {
    /// Posts a receive: the oldest message that matches and has not been taken goes into its memory. Of a peer that has failed
    /// only such a message can be received.
    public mutating func receive(_ request: ReceiveRequest, now: UInt64) -> Posting {
        guard request.peer == .any || peers.isInUse(request.peer.index) else { return .refused(.unknownPeer) }
        guard !portHasFailed else { return .refused(.portFailed) }
        guard hasCompletionRoom, controls.freeCount > 0, receives.count < options.receiveCapacity, let index = postReceive(request)
        else { return .tryAgain }
        if request.options.contains(.multiReceive) {
            link(index)
            takeUnexpected(into: index)
            if isVain(request), receives.isInUse(index), receives[index].openParts == 0 { endInVain(index) }
        } else if let message = firstUnexpected(request) {
            takeUnexpected(message, with: index)
        } else {
            link(index)
            if isVain(request) { endInVain(index) }
        }
        settle(now: now)
        return .accepted
    }

    /// Whether nothing will come for it any more.
    private func isVain(_ request: ReceiveRequest) -> Bool { request.peer != .any && peers[request.peer.index].hasFailed }

    private mutating func endInVain(_ index: UInt32) {
        unlink(index)
        complete(index, error: .peerFailed)
    }

    mutating func postReceive(_ request: ReceiveRequest) -> UInt32? {
        var operation = ReceiveOperation(request)
        operation.generation = nextGeneration()
        return receives.take(operation)
    }

    /// A multiple receive takes what is there already, oldest first.
    private mutating func takeUnexpected(into index: UInt32) {
        while receives.isInUse(index), !receives[index].isClosed, let message = firstUnexpected(receives[index].request) {
            guard let part = match(index, Envelope(unexpected[message]), from: unexpected[message].peer) else { return }
            takeUnexpected(message, matched: part)
        }
    }

    /// Ends a receive that has not been matched. False: there is none.
    /// - Parameter context: of the request; the oldest one if several have it.
    public mutating func cancelReceive(context: UInt) -> Bool {
        for space in [MessageSpace.tagged, .untagged] {
            var index = waitingList(space).first
            while index != .max {
                if receives[index].request.context == context {
                    unlink(index)
                    // The last of the messages that are still coming in gives a multiple receive's buffer back.
                    receives[index].isClosed = true
                    if receives[index].openParts == 0 { complete(index, error: .canceled) }
                    return true
                }
                index = receives[index].next
            }
        }
        return false
    }

    // Matching.

    /// The oldest receive that a message belongs to.
    func firstWaiting(_ envelope: Envelope, from peer: UInt32) -> UInt32? {
        var index = waitingList(envelope.space).first
        while index != .max {
            if receives[index].matches(peer: peer, tag: envelope.tag) { return index }
            index = receives[index].next
        }
        return nil
    }

    /// Gives a waiting receive its message. Returns the operation that takes the bytes: the receive, or a part of a multiple
    /// one; nil: there is none to be had now.
    mutating func match(_ index: UInt32, _ envelope: Envelope, from peer: UInt32) -> UInt32? {
        if receives[index].request.options.contains(.multiReceive) { return matchPart(of: index, envelope, from: peer) }
        unlink(index)
        describe(index, envelope, from: peer)
        return index
    }

    /// What a receive learns of its message.
    mutating func describe(_ index: UInt32, _ envelope: Envelope, from peer: UInt32) {
        receives[index].isMatched = true
        receives[index].source = peer
        receives[index].tag = envelope.tag
        receives[index].data = envelope.data
        receives[index].carriesData = envelope.carriesData
        receives[index].totalByteCount = envelope.totalByteCount
        receives[index].expectedByteCount = min(envelope.totalByteCount, receives[index].request.memory.byteCount)
    }

    /// The next piece of a buffer for several messages. The buffer is closed when less than the least is left.
    private mutating func matchPart(of index: UInt32, _ envelope: Envelope, from peer: UInt32) -> UInt32? {
        guard hasCompletionRoom, hasPartRoom else { return nil }
        let whole = receives[index]
        let room = whole.request.memory.byteCount &- whole.usedByteCount
        var request = whole.request
        let count = min(envelope.totalByteCount, room)
        request.memory = whole.request.memory.part(offset: whole.usedByteCount, byteCount: count)
        guard let part = postReceive(request) else { return nil }
        receives[part].parent = index
        receives[index].usedByteCount &+= count
        receives[index].openParts &+= 1
        if room &- count < max(1, options.minimumMultiReceive) {
            receives[index].isClosed = true
            unlink(index)
        }
        describe(part, envelope, from: peer)
        return part
    }

    // The end of a receive.

    /// All bytes that were wanted are here.
    mutating func finishReceive(_ index: UInt32) {
        switch receives[index].kind {
        case .write: finishWrite(index)
        case .read, .fetch, .update: complete(index)
        case .receive:
            let expected = receives[index].expectedByteCount
            counters.messagesReceived &+= 1
            counters.bytesReceived &+= UInt64(expected)
            complete(index, error: receives[index].totalByteCount > expected ? .truncated : nil)
        }
    }

    mutating func complete(_ index: UInt32, error: TransportError? = nil) {
        let options = receives[index].request.options
        var completion = Completion(
            kind: receives[index].completionKind, space: receives[index].request.space,
            context: receives[index].request.context, peer: PeerID(index: receives[index].source),
            byteCount: receives[index].receivedByteCount, error: error)
        completion.options = options
        completion.tag = receives[index].tag
        completion.data = receives[index].data
        completion.carriesData = receives[index].carriesData
        completion.truncatedByteCount = receives[index].totalByteCount &- receives[index].expectedByteCount
        completion.address = receives[index].request.memory.firstAddress
        let parent = receives[index].parent
        receives.give(index)
        switch completion.kind {
        case .read: readEnded(&completion)
        case .fetch, .update: requestEnded(completion.peer.index)
        default: break
        }
        // A buffer for several messages ends itself (canceled, its only peer is dead), or with the last of its parts.
        completion.releasesBuffer = parent == .max ? options.contains(.multiReceive) : closePart(of: parent)
        if options.contains(.discards) { return }
        if error != nil || options.contains(.completes) || completion.releasesBuffer { completions.append(completion) }
    }

    /// Whether it was the last of its buffer.
    private mutating func closePart(of index: UInt32) -> Bool {
        receives[index].openParts &-= 1
        guard receives[index].isClosed, receives[index].openParts == 0 else { return false }
        receives.give(index)
        return true
    }

    // Lists.

    func waitingList(_ space: MessageSpace) -> LinkedQueue { space == .tagged ? waiting.tagged : waiting.untagged }
    private mutating func setWaitingList(_ list: LinkedQueue, _ space: MessageSpace) {
        if space == .tagged { waiting.tagged = list } else { waiting.untagged = list }
    }

    private mutating func link(_ index: UInt32) {
        let space = receives[index].request.space
        var list = waitingList(space)
        receives[index].previous = list.last
        if list.isEmpty { list.first = index } else { receives[list.last].next = index }
        list.last = index
        setWaitingList(list, space)
    }

    mutating func unlink(_ index: UInt32) {
        let space = receives[index].request.space
        let next = receives[index].next, previous = receives[index].previous
        var list = waitingList(space)
        if previous == .max { list.first = next } else { receives[previous].next = next }
        if next == .max { list.last = previous } else { receives[next].previous = previous }
        setWaitingList(list, space)
    }

}
