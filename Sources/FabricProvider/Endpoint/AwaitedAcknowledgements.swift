import MPIBridge

/// Sends with FI_TRANSMIT_COMPLETE (fi_cq(3)): they complete when the peer's endpoint has them, whether a receive takes them or not.
/// The transport completes a short message when it is on its way; its acknowledgement is awaited here.
struct AwaitedAcknowledgements {
    /// No more such sends are taken while so many wait; those that the transport has by then still find a place.
    /// They are looked through one by one.
    private static let limit = 512

    private struct Entry {
        let completion: Completion
        /// ``MessageEndpoint/sendMark(for:)`` when all of it was sent.
        let mark: UInt32
    }

    private var entries: [Entry] = []
    var isFull: Bool { entries.count >= Self.limit }
    @inline(__always) var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ completion: Completion, mark: UInt32) {
        // With the first one, and never again.
        if entries.capacity < Self.limit { entries.reserveCapacity(Self.limit) }
        entries.append(Entry(completion: completion, mark: mark))
    }

    /// The oldest one whose peer has it, or that will have nothing any more. One peer does not wait for another.
    mutating func take(from transport: borrowing MessageEndpoint) -> Completion? {
        for (index, entry) in entries.enumerated() {
            let peer = entry.completion.peer
            let isThere = transport.isAcknowledged(entry.mark, by: peer)
            guard isThere || transport.hasFailed(peer) else { continue }
            entries.remove(at: index)
            var completion = entry.completion
            if !isThere { completion.error = .peerFailed }
            return completion
        }
        return nil
    }
}

extension FabricObject where State == OpenEndpoint {
    /// The next operation that is over in the sense in which it was asked for.
    @inline(__always) func takeCompletion() -> Completion? {
        while let completion = state.transport?.takeCompletion() ?? state.datagrams?.takeCompletion() {
            if !completion.options.contains(.acknowledged) || !awaits(completion) { return completion }
        }
        return state.awaited.isEmpty ? nil : takeAcknowledged()
    }

    private func takeAcknowledged() -> Completion? {
        switch state.transport {
        case .some(let transport): state.awaited.take(from: transport)
        case nil: nil
        }
    }

    /// False: there is nothing to wait for.
    private func awaits(_ completion: Completion) -> Bool {
        guard completion.kind == .send, completion.error == nil, let mark = state.transport?.sendMark(for: completion.peer),
            state.transport?.isAcknowledged(mark, by: completion.peer) == false
        else { return false }
        state.awaited.add(completion, mark: mark)
        return true
    }
}
