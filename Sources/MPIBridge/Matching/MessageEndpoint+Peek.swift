/// Looking at messages that nobody has received.
extension MessageEndpoint {
    public enum PeekMode: Sendable {
        case look
        /// The message is set aside for ``receiveClaimed(_:now:)`` or ``discardClaimed(context:)`` with the same context.
        case claim
        /// The message is thrown away.
        case discard
    }

    /// Looks for a message that a receive would take. A ``Completion/Kind/peek`` follows at once; its error is
    /// ``TransportError/noMessage`` when there is none. False: no room for the completion, try again.
    public mutating func peek(_ request: ReceiveRequest, mode: PeekMode = .look, now: UInt64) -> Bool {
        guard hasCompletionRoom else { return false }
        var completion = Completion(kind: .peek, space: request.space, context: request.context, peer: request.peer, byteCount: 0)
        guard let index = firstUnexpected(request) else {
            completion.error = .noMessage
            completions.append(completion)
            return true
        }
        let message = unexpected[index]
        completion.peer = PeerID(index: message.peer)
        completion.byteCount = message.totalByteCount
        completion.tag = message.tag
        completion.data = message.data
        completion.carriesData = message.carriesData
        completions.append(completion)
        switch mode {
        case .look: break
        case .claim: unexpected[index].claim = request.context
        case .discard: discard(index, space: request.space, now: now)
        }
        return true
    }

    /// Receives the message that a peek has claimed. Refused with ``TransportError/noMessage`` if none was.
    public mutating func receiveClaimed(_ request: ReceiveRequest, now: UInt64) -> Posting {
        guard let message = claimed(request.context, request.space) else { return .refused(.noMessage) }
        guard hasCompletionRoom, controls.freeCount > 0, let index = postReceive(request) else { return .tryAgain }
        takeUnexpected(message, with: index)
        settle(now: now)
        return .accepted
    }

    /// Throws away the message that a peek has claimed. False: none was.
    public mutating func discardClaimed(context: UInt, space: MessageSpace, now: UInt64) -> Bool {
        guard let message = claimed(context, space) else { return false }
        discard(message, space: space, now: now)
        return true
    }

    /// Received into nothing, so that the sender is done with it, too.
    private mutating func discard(_ message: UInt32, space: MessageSpace, now: UInt64) {
        guard let index = postReceive(ReceiveRequest(space: space, memory: .none, options: [.discards])) else { return }
        takeUnexpected(message, with: index)
        settle(now: now)
    }

    private func claimed(_ context: UInt, _ space: MessageSpace) -> UInt32? {
        var index = unexpectedList(space).first
        while index != .max {
            if unexpected[index].claim == context { return index }
            index = unexpected[index].next
        }
        return nil
    }
}
