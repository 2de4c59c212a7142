/// How many of its reads, writes and atomic accesses an endpoint has under way with a peer. The owner of the memory has a place for each of them set
/// aside: so a request never stands in front of answers because there is no room for it, which with one stream a peer would stop both
/// sides. The others wait at the one who asks.
struct RequestLimit: BitwiseCopyable {
    /// Those of ours that the peer was told of and that have not ended.
    var asked: UInt32 = 0
    /// The peer's reads and atomic accesses that are being answered, its writes that are coming in, and outcomes that it has not been told yet. Each of
    /// them ends before the peer sees it end, so that they are never more than the peer has asked for.
    var served: UInt32 = 0
    /// Our reads that wait, linked as receives are.
    var reads = LinkedQueue()
}

extension MessageEndpoint {
    /// Whether one more of our requests may go to a peer.
    @inline(__always) func mayAsk(_ peer: UInt32) -> Bool { peers[peer].requests.asked < options.requestCredit }

    /// Whether a peer asks for more than it may.
    func asksTooMuch(_ peer: UInt32) -> Bool { peers[peer].requests.served >= options.requestCredit }

    /// Whether all that waits for a peer waits for the end of earlier requests.
    func waitsForAnswers(_ peer: UInt32) -> Bool {
        guard !mayAsk(peer), peers[peer].controls.isEmpty, peers[peer].bulk.isEmpty else { return false }
        guard let first = peers[peer].messages.firstOrNil else { return true }
        return sends[first].kind != .message && sends[first].stage == .waiting
    }

    /// One of a peer's requests has been dealt with.
    mutating func served(_ peer: UInt32) {
        if !peers[peer].hasFailed { peers[peer].requests.served &-= 1 }
    }

    /// One of our requests has ended: the next may go.
    mutating func requestEnded(_ peer: UInt32) {
        guard !peers[peer].hasFailed else { return }
        peers[peer].requests.asked &-= 1
        if peers[peer].hasSomethingToSend { callAttention(peer) }
    }

    mutating func readEnded(_ completion: inout Completion) {
        (completion.tag, completion.data) = (0, 0)
        requestEnded(completion.peer.index)
    }

    /// Queues a read until it may go.
    mutating func enqueueRead(_ index: UInt32, of peer: UInt32) {
        receives[index].next = .max
        if peers[peer].requests.reads.isEmpty {
            peers[peer].requests.reads.first = index
        } else {
            receives[peers[peer].requests.reads.last].next = index
        }
        peers[peer].requests.reads.last = index
        callAttention(peer)
    }

    /// Asks for what was queued, as far as it may.
    mutating func pumpReads(_ peer: UInt32) {
        while let index = peers[peer].requests.reads.firstOrNil, mayAsk(peer), controls.freeCount > 0 {
            peers[peer].requests.reads.first = receives[index].next
            peers[peer].requests.asked &+= 1
            receives[index].isAsked = true
            let name = OperationName(receive: index, generation: receives[index].generation)
            let place = receives[index].takeRemotePlace()
            _ = postControl(.read, (place.key, place.offset, UInt64(receives[index].expectedByteCount), name.word), to: peer)
        }
    }
}

extension ReceiveOperation {
    /// Where a read that waits reads from. It needs neither tag nor data, and their places do.
    mutating func setRemotePlace(key: UInt64, offset: UInt64) { (tag, data) = (key, offset) }
    mutating func takeRemotePlace() -> (key: UInt64, offset: UInt64) {
        defer { (tag, data) = (0, 0) }
        return (tag, data)
    }
}
