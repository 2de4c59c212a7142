/// Peers that owe no acknowledgement and are silent while something of theirs is waited for: they are asked for a sign of life.
extension MessageEndpoint {
    /// How often peers are looked at: several questions fit into the shortest ``patience(with:)`` there is.
    private var keepAliveInterval: UInt64 {
        (options.answersAlone || knowsWhoAnswersAlone ? min(options.answerTimeout, options.peerTimeout) : options.peerTimeout) / 8
    }

    /// A peer has said that it answers whatever its application does.
    mutating func noteAnswersAlone(_ peer: UInt32, now: UInt64) {
        peers[peer].answersAlone = true
        guard !knowsWhoAnswersAlone else { return }
        knowsWhoAnswersAlone = true
        keepAliveAt = min(keepAliveAt, now &+ keepAliveInterval)
    }

    /// How long a peer may be silent when it is asked, or owes something.
    func patience(with peer: UInt32) -> UInt64 {
        peers[peer].answersAlone ? min(options.answerTimeout, options.peerTimeout) : options.peerTimeout
    }

    /// A peer that does not answer for so long as there is ``patience(with:)`` has failed. Nobody is asked while nothing is waited for.
    mutating func keepAlive(now: UInt64) {
        // Who looks so late was away himself: the answers to earlier questions are not read yet.
        let wasAway = now &- keepAliveAt > keepAliveInterval
        keepAliveAt = now &+ keepAliveInterval
        guard awaitsSomething else { return }
        noteAwaitedPeers(.tagged)
        noteAwaitedPeers(.untagged)
        for peer in 0..<UInt32(peers.touched) where peers[peer].matters && !peers[peer].hasFailed {
            guard now &- peers[peer].heardAt >= patience(with: peer) / 8 else { continue }
            if peers[peer].askedAt == 0 || wasAway { peers[peer].askedAt = now }
            if now &- peers[peer].askedAt >= patience(with: peer) {
                fail(peer)
            } else {
                sendAcknowledgement(peer, asks: true)
                flush()
            }
        }
    }

    /// A message for a receive, the rest of one, an answer: all of them come by counted frames that nobody has asked for again.
    private var awaitsSomething: Bool {
        if receives.count > 0 || sends.count > 0 { return true }
        for peer in 0..<UInt32(peers.touched) where peers[peer].inbound != .none { return true }
        return false
    }

    private func noteAwaitedPeers(_ space: MessageSpace) {
        var index = waitingList(space).first
        while index != .max {
            if receives[index].request.peer != .any { peers[receives[index].request.peer.index].matters = true }
            index = receives[index].next
        }
    }
}
