import DeviceMemory

/// From received frames to what they mean, in the order in which they were sent.
extension MessageEndpoint {
    /// Takes what has arrived, sends what may go, looks at the timers. Returns whether frames came in.
    /// - Parameter now: nanoseconds of the clock that all calls use; never before an earlier call's.
    public mutating func progress(now: UInt64) -> Bool {
        var received = false
        // Each frame may complete an operation, or several that were early.
        if completions.capacity &- completions.count > 256, queuePair.receive(into: &incoming) > 0 {
            received = true
            while let packet = incoming.removeFirst() { arrived(packet, now: now) }
        }
        if !returning.isEmpty {
            received = true
            takeReturning(now: now)
        }
        if !attention.isEmpty { attend(now: now) }
        if now >= nextTimer { runTimers(now: now) }
        if now >= keepAliveAt { keepAlive(now: now) }
        if now >= askRouterAt { askRouter(now: now) }
        flush()
        return received
    }

    /// Carries out what a call of the application brought about.
    mutating func settle(now: UInt64) {
        if !attention.isEmpty { attend(now: now) }
        flush()
    }

    /// Frames of this endpoint to itself. What they cause to be sent waits for the next call.
    private mutating func takeReturning(now: UInt64) {
        guard completions.capacity &- completions.count > 256 else { return }
        swap(&returning, &returned)
        while let packet = returned.removeFirst() { arrived(packet, now: now) }
    }

    /// Peers with something to do at once: frames that waited, answers, acknowledgements.
    private mutating func attend(now: UInt64) {
        // Who calls again meanwhile is looked at in the next call.
        let last = attention.last
        while let peer = attention.firstOrNil {
            attention.first = peers[peer].nextAttention
            peers[peer].needsAttention = false
            if peers[peer].holdsExpected { deliverEarly(peer, now: now) }
            pump(peer, now: now)
            // Without a way to the peer it waits for the router's answer, which calls us back.
            if peers[peer].shallAcknowledgeNow, peers[peer].hasNextHop {
                sendAcknowledgement(peer)
                // Without room for it now, it goes next time.
                if peers[peer].shallAcknowledgeNow { callAttention(peer) }
            }
            if peer == last { break }
        }
    }

    private mutating func arrived(_ packet: consuming Packet, now: UInt64) {
        counters.framesReceived &+= 1
        let window = packet.window
        switch IncomingFrame.judge(window, byteCount: packet.byteCount, flags: packet.flags, for: address) {
        case .foreign: takeForeign(window, byteCount: packet.byteCount)
        case .malformed: counters.malformedFrames &+= 1
        case .good(let frame):
            guard let peer = sender(of: frame, window: window, now: now) else { return }
            guard !peers[peer].hasFailed else { return }
            let selective = frame.kind == .acknowledgement ? window.load64(at: FrameLayout.fields) : 0
            guard takeAcknowledgement(frame, selective: selective, of: peer, now: now) else {
                counters.malformedFrames &+= 1
                return
            }
            peers[peer].heardAt = now
            peers[peer].askedAt = 0
            switch frame.kind {
            case .acknowledgement:
                counters.acknowledgementsReceived &+= 1
                if frame.flags.contains(.answersAlone) { noteAnswersAlone(peer, now: now) }
                if frame.flags.contains(.answerAtOnce) {
                    peers[peer].shallAcknowledgeNow = true
                    callAttention(peer)
                }
            case .goodbye: left(peer)
            default: take(frame, packet, from: peer, now: now)
            }
        }
    }

    /// The peer whose frame it is. One that is not known yet is added: it may know us first.
    private mutating func sender(of frame: IncomingFrame, window: MemoryWindow, now: UInt64) -> UInt32? {
        if let peer = peerTable.find(frame.sourceKey) { return peer }
        guard frame.kind.isCounted, let source = IncomingFrame.source(window, key: frame.sourceKey), let peer = peer(for: source, now: now)
        else {
            counters.foreignFrames &+= 1
            return nil
        }
        return peer.index
    }

    /// A counted frame: delivered if it is in turn, kept if it came early, told of again if it is here already.
    private mutating func take(_ frame: IncomingFrame, _ packet: consuming Packet, from peer: UInt32, now: UInt64) {
        let distance = frame.sequence &- peers[peer].expected
        peers[peer].matters = true
        if distance == 0, !peers[peer].holdsExpected {
            switch deliver(frame, packet.window, from: peer, now: now) {
            case .done:
                advance(peer)
                oweAcknowledgement(
                    peer, atOnce: frame.flags.contains(.answerAtOnce) || peers[peer].hasEarlyFrames, isBulk: frame.kind == .bulk, now: now)
                if peers[peer].holdsExpected { deliverEarly(peer, now: now) }
            case .notNow: hold(packet, sequence: frame.sequence, of: peer)
            case .violation: fail(peer)
            }
        } else if distance &- 1 < PeerWindow.size &- 1 {
            counters.reorderedFrames &+= 1
            let bit: UInt64 = 1 << UInt64(distance &- 1)
            if peers[peer].earlyFrames & bit == 0, pool.freeCount > earlyReserve {
                peers[peer].window.setEarlyPacket(packet.release().word, frame.sequence)
                peers[peer].earlyFrames |= bit
            }
            oweAcknowledgement(peer, atOnce: true, now: now)
        } else {
            counters.duplicateFrames &+= 1
            oweAcknowledgement(peer, atOnce: true, now: now)
        }
    }

    /// Keeps the frame in turn until there is room for what it brings.
    private mutating func hold(_ packet: consuming Packet, sequence: UInt32, of peer: UInt32) {
        peers[peer].window.setEarlyPacket(packet.release().word, sequence)
        peers[peer].holdsExpected = true
        callAttention(peer)
    }

    /// The frame behind the expected one becomes the expected one, and may be here already.
    private mutating func advance(_ peer: UInt32) {
        peers[peer].expected &+= 1
        peers[peer].holdsExpected = peers[peer].earlyFrames & 1 == 1
        peers[peer].earlyFrames >>= 1
    }

    /// Delivers frames that are here, as far as they are in turn.
    private mutating func deliverEarly(_ peer: UInt32, now: UInt64) {
        while peers[peer].holdsExpected {
            let sequence = peers[peer].expected
            let packet = Packet(adopting: PacketHandle(word: peers[peer].window.earlyPacket(sequence)), in: pool)
            peers[peer].holdsExpected = false
            guard case .good(let frame) = IncomingFrame.judge(packet.window, byteCount: packet.byteCount, flags: packet.flags, for: address)
            else { return fail(peer) }
            switch deliver(frame, packet.window, from: peer, now: now) {
            case .done:
                advance(peer)
                oweAcknowledgement(peer, atOnce: frame.flags.contains(.answerAtOnce), now: now)
            case .notNow: return hold(packet, sequence: sequence, of: peer)
            case .violation: return fail(peer)
            }
        }
    }

    static func dropEarlyFrames(of peer: inout Peer, pool: PacketPoolReference) {
        for distance in 0..<PeerWindow.size {
            let isHere = distance == 0 ? peer.holdsExpected : peer.earlyFrames >> UInt64(distance - 1) & 1 == 1
            if isHere { pool.give(PacketHandle(word: peer.window.earlyPacket(peer.expected &+ distance)).index) }
        }
        peer.holdsExpected = false
        peer.earlyFrames = 0
    }
}
