import DeviceMemory

/// The end of a peer, and of this endpoint.
extension MessageEndpoint {
    /// Nothing goes to the peer and nothing of it is taken any more; every operation with it ends with the error.
    mutating func fail(_ peer: UInt32, because error: TransportError = .peerFailed) {
        guard !peers[peer].hasFailed else { return }
        peers[peer].hasFailed = true
        if error == .peerFailed { counters.failedPeers &+= 1 }
        dropFrames(of: peer)
        promisedMessages &-= Int(peers[peer].messagesGranted &- peers[peer].messagesArrived)
        for index in 0..<UInt32(unexpected.touched) where unexpected.isInUse(index) && unexpected[index].peer == peer {
            dropUnfinished(index)
        }
        for index in 0..<UInt32(sends.touched) where sends.isInUse(index) && sends[index].peer == peer {
            finishSend(index, error: error)
        }
        // Buffers for several messages end after the parts of them that were on their way.
        for _ in 0..<2 {
            for index in 0..<UInt32(receives.touched) where receives.isInUse(index) { failReceive(index, of: peer, error) }
        }
    }

    /// The peer's endpoint has ended as it should: what it owed it will not bring any more.
    mutating func left(_ peer: UInt32) {
        fail(peer)
        counters.failedPeers &-= 1
    }

    /// Tells every peer that this endpoint ends. Wait until it ``isQuiet`` first.
    public mutating func sayGoodbye(now: UInt64) {
        for peer in 0..<UInt32(peers.touched) where !peers[peer].hasFailed {
            sendUncounted(.goodbye, flags: [], to: peer)
            flush()
        }
    }

    /// Ends a peer of which the caller knows that it is dead: its process is gone, its link is.
    public mutating func declareDead(_ peer: PeerID) {
        if peers.isInUse(peer.index) { fail(peer.index) }
    }

    private mutating func dropFrames(of peer: UInt32) {
        peers[peer].acknowledgedWhenFailed = peers[peer].oldest
        for distance in 0..<peers[peer].inFlight {
            let sequence = peers[peer].oldest &+ distance
            if peers[peer].window[sequence].source == .slot { slots.give(peers[peer].window[sequence].slot) }
            peers[peer].window[sequence].source = .acknowledged
        }
        peers[peer].oldest = peers[peer].nextSequence
        peers[peer].bytesInFlight = 0
        while let index = peers[peer].controls.firstOrNil {
            peers[peer].controls.first = controls[index].next
            controls.give(index)
        }
        peers[peer].messages = LinkedQueue()
        peers[peer].bulk = LinkedQueue()
        peers[peer].requests = RequestLimit()
        peers[peer].retransmitAt = .max
        peers[peer].acknowledgeAt = .max
        peers[peer].shallAcknowledgeNow = false
        peers[peer].isStalled = false
        peers[peer].inbound = .none
        Self.dropEarlyFrames(of: &peers[peer], pool: pool)
    }

    /// A whole message stays to be received; what is not whole never will be.
    private mutating func dropUnfinished(_ index: UInt32) {
        let message = unexpected[index]
        guard !message.isWhole else { return }
        // One that a receive has taken is in no list; the receive ends as those of the peer do.
        if message.receive == .max { unlinkUnexpected(index) }
        dropUnexpected(index)
    }

    private mutating func failReceive(_ index: UInt32, of peer: UInt32, _ error: TransportError) {
        let operation = receives[index]
        if operation.isMatched {
            guard operation.source == peer else { return }
            if operation.kind == .write { giveWrite(index) } else { complete(index, error: error) }
        } else if operation.request.peer.index == peer, operation.openParts == 0 {
            unlink(index)
            complete(index, error: error)
        }
    }
}
