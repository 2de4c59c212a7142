import MPIBridge

/// Messages for queue pairs that are gone, or never were: nobody will receive them, and they take room and credits.
extension VerbsObject where State == Adapter {
    /// At most so many in one look.
    private static var strayLimit: Int { 256 }

    /// Throws away the oldest messages that wait, as long as they are strays. The caller holds the lock.
    func dropStrayMessages(now: UInt64) {
        for _ in 0..<Self.strayLimit {
            guard let stray = peek(ReceiveRequest(space: .tagged, ignore: .max, memory: .none), mode: .look, now: now),
                !isExpected(ConnectedTag(word: stray.tag), from: stray.peer)
            else { return }
            _ = peek(ReceiveRequest(from: stray.peer, space: .tagged, tag: stray.tag, memory: .none), mode: .discard, now: now)
        }
    }

    /// Whether a queue pair waits for messages like that, or may when it is connected: the other side can be faster.
    private func isExpected(_ tag: ConnectedTag, from peer: PeerID) -> Bool {
        guard let queuePair = state.queuePairs[tag.target] else { return false }
        if queuePair.state.service == .connected, queuePair.state.peer == nil { return true }
        return queuePair.state.peer == peer && queuePair.state.remoteNumber == tag.source
    }

    /// What a peek finds; nil: nothing. Other completions go where they belong.
    func peek(_ request: ReceiveRequest, mode: MessageEndpoint.PeekMode, now: UInt64) -> Completion? {
        guard state.transport.peek(request, mode: mode, now: now) else { return nil }
        var found: Completion?
        while let completion = state.transport.takeCompletion() {
            if completion.kind == .peek { found = completion.error == nil ? completion : nil } else { ended(completion) }
        }
        return found
    }
}
