/// What happens because time has passed.
extension MessageEndpoint {
    /// Has a peer looked at when its earliest moment comes.
    mutating func time(_ peer: UInt32, now: UInt64) {
        if peers[peer].isStalled, peers[peer].retransmitAt == .max {
            peers[peer].retransmitAt = now &+ peers[peer].roundTrip.retransmissionTimeout
        }
        if !peers[peer].isTimed {
            peers[peer].isTimed = true
            timed.append(peer)
        }
        nextTimer = min(nextTimer, peers[peer].retransmitAt, peers[peer].acknowledgeAt)
    }

    /// Looks at each peer that waits for something.
    mutating func runTimers(now: UInt64) {
        nextTimer = .max
        var kept = 0
        for place in timed.indices {
            let peer = timed[place]
            if peers[peer].acknowledgeAt <= now { sendAcknowledgement(peer) }
            if peers[peer].retransmitAt <= now { timedOut(peer, now: now) }
            let earliest = min(peers[peer].acknowledgeAt, peers[peer].retransmitAt)
            guard earliest != .max else {
                peers[peer].isTimed = false
                continue
            }
            nextTimer = min(nextTimer, earliest)
            timed[kept] = peer
            kept += 1
        }
        timed.removeLast(timed.count - kept)
    }

    /// The oldest frame alone goes again: a peer that computes shall not find its ring full of copies.
    private mutating func timedOut(_ peer: UInt32, now: UInt64) {
        guard !peers[peer].hasFailed, peers[peer].inFlight > 0 || peers[peer].isStalled else {
            peers[peer].retransmitAt = .max
            return
        }
        // Who looks so late was away himself: what the peer has said since then is not read yet.
        if now &- peers[peer].retransmitAt > options.longestTimeout { peers[peer].owingSince = now }
        if now &- peers[peer].heardAt >= patience(with: peer), now &- peers[peer].owingSince >= patience(with: peer) {
            return fail(peer)
        }
        peers[peer].roundTrip.timedOut()
        peers[peer].retransmitAt = now &+ peers[peer].roundTrip.retransmissionTimeout
        peers[peer].timedOutAt = now
        counters.timeouts &+= 1
        // The oldest may have arrived and wait there for room: then nothing is missing but news.
        if peers[peer].inFlight > 0, peers[peer].window[peers[peer].oldest].isMissing {
            retransmit(peers[peer].oldest, of: peer, now: now)
        } else {
            sendAcknowledgement(peer, asks: true)
        }
    }
}
