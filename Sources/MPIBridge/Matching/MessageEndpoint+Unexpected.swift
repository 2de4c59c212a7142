/// Messages that came before their receive.
extension MessageEndpoint {
    /// Keeps a message for later; nil: there is no room.
    mutating func addUnexpected(_ envelope: Envelope, from peer: UInt32) -> UInt32? {
        let byteCount = envelope.sender == nil ? envelope.totalByteCount : 0
        guard unexpected.freeCount > 0, let block = blocks.take(byteCount: byteCount) else { return nil }
        let message = UnexpectedMessage(
            space: envelope.space, peer: peer, tag: envelope.tag, data: envelope.data, carriesData: envelope.carriesData,
            totalByteCount: envelope.totalByteCount, block: block, sender: envelope.sender)
        guard let index = unexpected.take(message) else { return nil }
        var list = unexpectedList(envelope.space)
        unexpected[index].previous = list.last
        if list.isEmpty { list.first = index } else { unexpected[list.last].next = index }
        list.last = index
        setUnexpectedList(list, envelope.space)
        unexpectedByteCount &+= byteCount
        counters.unexpectedMessages &+= 1
        counters.unexpectedBytesPeak = max(counters.unexpectedBytesPeak, UInt64(unexpectedByteCount))
        return index
    }

    /// The oldest message that a receive would take.
    func firstUnexpected(_ request: ReceiveRequest) -> UInt32? {
        var index = unexpectedList(request.space).first
        while index != .max {
            let message = unexpected[index]
            if message.claim == nil, request.peer.index == message.peer || request.peer == .any,
                (request.tag ^ message.tag) & ~request.ignore == 0
            {
                return index
            }
            index = message.next
        }
        return nil
    }

    /// Gives a message to a receive that is in no list.
    mutating func takeUnexpected(_ index: UInt32, with receive: UInt32) {
        describe(receive, Envelope(unexpected[index]), from: unexpected[index].peer)
        takeUnexpected(index, matched: receive)
    }

    /// Gives a message to a receive that was told of it.
    mutating func takeUnexpected(_ index: UInt32, matched receive: UInt32) {
        unlinkUnexpected(index)
        let message = unexpected[index]
        if let sender = message.sender {
            unexpected.give(index)
            consumed(byteCount: 0, of: message.peer)
            if peers[message.peer].hasFailed { return complete(receive, error: .peerFailed) }
            grant(receive, sender: sender)
        } else if message.isWhole {
            handOver(index, to: receive)
        } else {
            unexpected[index].receive = receive
        }
    }

    /// The last byte of an eager message is here.
    mutating func unexpectedIsWhole(_ index: UInt32) {
        let receive = unexpected[index].receive
        if receive != .max { handOver(index, to: receive) }
    }

    private mutating func handOver(_ index: UInt32, to receive: UInt32) {
        let message = unexpected[index]
        let count = receives[receive].expectedByteCount
        if let window = message.block.window { receives[receive].request.memory.fill(from: window, at: 0, byteCount: count, offset: 0) }
        receives[receive].receivedByteCount = count
        dropUnexpected(index)
        finishReceive(receive)
    }

    /// A message that is in no list leaves our memory.
    mutating func dropUnexpected(_ index: UInt32) {
        let message = unexpected[index]
        unexpected.give(index)
        blocks.give(message.block)
        let byteCount = message.sender == nil ? message.totalByteCount : 0
        unexpectedByteCount &-= byteCount
        consumed(byteCount: byteCount, of: message.peer)
    }

    func unexpectedList(_ space: MessageSpace) -> LinkedQueue {
        space == .tagged ? unexpectedLists.tagged : unexpectedLists.untagged
    }
    private mutating func setUnexpectedList(_ list: LinkedQueue, _ space: MessageSpace) {
        if space == .tagged { unexpectedLists.tagged = list } else { unexpectedLists.untagged = list }
    }

    mutating func unlinkUnexpected(_ index: UInt32) {
        let message = unexpected[index]
        var list = unexpectedList(message.space)
        if message.previous == .max { list.first = message.next } else { unexpected[message.previous].next = message.next }
        if message.next == .max { list.last = message.previous } else { unexpected[message.next].previous = message.previous }
        setUnexpectedList(list, message.space)
    }
}
