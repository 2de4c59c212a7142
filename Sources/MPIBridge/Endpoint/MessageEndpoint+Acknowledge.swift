import DeviceMemory

/// What acknowledgements do on both sides.
extension MessageEndpoint {
    /// Frames in turn after which an acknowledgement goes without waiting.
    private static let patience: UInt32 = 8
    /// Later frames that have to arrive before one is taken for lost (RFC 6675 §2, DupThresh).
    private static let lossEvidence = 3

    // Arriving.

    /// What every frame tells of our frames and credits. False: it acknowledges what was never sent.
    mutating func takeAcknowledgement(_ frame: IncomingFrame, selective: UInt64, of peer: UInt32, now: UInt64) -> Bool {
        let advance = frame.acknowledgement &- peers[peer].oldest
        guard advance <= peers[peer].inFlight else {
            // An older one that was overtaken says nothing new.
            return Int32(bitPattern: advance) < 0 && UInt32(0) &- advance <= 1 << 16
        }
        takeCredits(frame, of: peer)
        if advance > 0 {
            let newest = peers[peer].window[frame.acknowledgement &- 1]
            if newest.isMissing, !newest.wasRetransmitted { peers[peer].roundTrip.measured(now &- newest.sentAt) }
            for distance in 0..<advance {
                let sequence = peers[peer].oldest &+ distance
                peers[peer].bytesInFlight &-= Int(peers[peer].window[sequence].byteCount)
                release(sequence, of: peer)
            }
            peers[peer].oldest = frame.acknowledgement
            peers[peer].roundTrip.advanced()
            peers[peer].congestion.advanced(by: advance, to: frame.acknowledgement)
            peers[peer].retransmitAt =
                peers[peer].inFlight == 0 && !peers[peer].isStalled ? .max : now &+ peers[peer].roundTrip.retransmissionTimeout
            if peers[peer].timedOutAt != 0, newest.wasRetransmitted { recover(peer, frames: 2 &* advance, now: now) }
            if peers[peer].hasSomethingToSend { callAttention(peer) }
        }
        if selective != 0 { takeSelective(selective, of: peer, now: now) }
        return true
    }

    private mutating func takeCredits(_ frame: IncomingFrame, of peer: UInt32) {
        // Credits only grow; a frame that was overtaken carries older ones.
        if Int32(bitPattern: frame.byteCredit &- peers[peer].byteCredit) > 0 { peers[peer].byteCredit = frame.byteCredit }
        if Int32(bitPattern: frame.messageCredit &- peers[peer].messageCredit) > 0 {
            peers[peer].messageCredit = frame.messageCredit
            if peers[peer].isStalled {
                peers[peer].isStalled = false
                callAttention(peer)
            }
        }
    }

    /// Frames behind the oldest that have arrived; what is missing below several of them was lost.
    private mutating func takeSelective(_ bits: UInt64, of peer: UInt32, now: UInt64) {
        let limit = peers[peer].inFlight
        var later = 0
        for bit in stride(from: 63, through: 0, by: -1) where UInt32(bit) &+ 1 < limit {
            let sequence = peers[peer].oldest &+ UInt32(bit) &+ 1
            if bits >> UInt64(bit) & 1 == 1 {
                later &+= 1
                arrivedEarly(sequence, of: peer)
            } else if later >= Self.lossEvidence {
                repairLoss(sequence, of: peer, now: now)
            }
        }
        if later >= Self.lossEvidence { repairLoss(peers[peer].oldest, of: peer, now: now) }
    }

    /// What was acknowledged ends with a frame that was sent again: the next one has not arrived either, and probably none that was
    /// sent before the timer ran out. Twice as many go now as were acknowledged, as in a slow start (RFC 5681 §3.1).
    private mutating func recover(_ peer: UInt32, frames: UInt32, now: UInt64) {
        var left = min(frames, 16)
        for distance in 0..<peers[peer].inFlight where left > 0 {
            let sequence = peers[peer].oldest &+ distance
            guard peers[peer].window[sequence].sentAt <= peers[peer].timedOutAt else {
                if distance == 0 { peers[peer].timedOutAt = 0 }
                return
            }
            guard peers[peer].window[sequence].isMissing else { continue }
            retransmit(sequence, of: peer, now: now)
            left &-= 1
        }
        if peers[peer].inFlight == 0 { peers[peer].timedOutAt = 0 }
    }

    /// Sends a frame again that later ones have shown lost, but not twice within a round trip.
    private mutating func repairLoss(_ sequence: UInt32, of peer: UInt32, now: UInt64) {
        let frame = peers[peer].window[sequence]
        guard frame.isMissing,
            !frame.wasFoundLost || now &- frame.sentAt > 2 &* peers[peer].roundTrip.smoothedOrShortest
        else { return }
        peers[peer].window[sequence].wasFoundLost = true
        counters.fastRetransmits &+= 1
        peers[peer].congestion.lost(sequence, next: peers[peer].nextSequence)
        retransmit(sequence, of: peer, now: now)
    }

    /// A frame has arrived out of turn. A slot is free; bulk data is not in its place before the frames in front of it are.
    private mutating func arrivedEarly(_ sequence: UInt32, of peer: UInt32) {
        switch peers[peer].window[sequence].source {
        case .slot: release(sequence, of: peer)
        case .bulk: peers[peer].window[sequence].source = .earlyBulk
        case .acknowledged, .earlyBulk: break
        }
    }

    /// A frame was delivered at the peer: what it was made of is free.
    private mutating func release(_ sequence: UInt32, of peer: UInt32) {
        let frame = peers[peer].window[sequence]
        peers[peer].window[sequence].source = .acknowledged
        switch frame.source {
        case .acknowledged: break
        case .slot: slots.give(frame.slot)
        case .bulk, .earlyBulk:
            sends[frame.operation].acknowledgedByteCount &+= frame.payloadByteCount
            if sends[frame.operation].acknowledgedByteCount == sends[frame.operation].grantedByteCount {
                finishSend(frame.operation)
            }
        }
    }

    // Leaving.

    /// Sends a frame again.
    mutating func retransmit(_ sequence: UInt32, of peer: UInt32, now: UInt64) {
        let frame = peers[peer].window[sequence]
        guard outgoing.room > 0 else { return }
        peers[peer].window[sequence].wasRetransmitted = true
        peers[peer].window[sequence].sentAt = now
        switch frame.source {
        case .acknowledged, .earlyBulk: return
        case .slot:
            sendCopy(of: slots.window(frame.slot), byteCount: Int(frame.byteCount), sequence: sequence, to: peer)
        case .bulk:
            guard var packet = queuePair.makePacket() else { return }
            let tail = storeBulk(
                packet.window, operation: sends[frame.operation], offset: frame.offset, byteCount: frame.payloadByteCount)
            packet.byteCount = Int(frame.byteCount)
            seal(packet, tail: tail, sequence: sequence, to: peer)
        }
        counters.retransmittedFrames &+= 1
    }

    /// A counted frame has arrived: its acknowledgement is owed, now or soon.
    /// - Parameter isBulk: the frame is long, and counts twice.
    mutating func oweAcknowledgement(_ peer: UInt32, atOnce: Bool, isBulk: Bool = false, now: UInt64) {
        peers[peer].acknowledgementsOwed &+= isBulk ? 2 : 1
        if atOnce || peers[peer].acknowledgementsOwed >= Self.patience {
            peers[peer].shallAcknowledgeNow = true
            callAttention(peer)
        } else if peers[peer].acknowledgeAt == .max {
            peers[peer].acknowledgeAt = now &+ options.acknowledgementDelay
            time(peer, now: now)
        }
    }

    /// A frame of its own for what is owed. It needs no window, and packets are set aside for it.
    /// - Parameter asks: for an answer, which brings the peer's view of credits.
    mutating func sendAcknowledgement(_ peer: UInt32, asks: Bool = false) {
        var flags: FrameFlags = asks ? .answerAtOnce : []
        if options.answersAlone { flags.insert(.answersAlone) }
        sendUncounted(.acknowledgement, flags: flags, to: peer)
        counters.acknowledgementsSent &+= 1
    }

    mutating func sendUncounted(_ kind: FrameKind, flags: FrameFlags, to peer: UInt32) {
        guard peers[peer].hasNextHop else {
            // The router's answer calls us back.
            if kind == .acknowledgement { (peers[peer].shallAcknowledgeNow, peers[peer].acknowledgeAt) = (true, .max) }
            return
        }
        guard outgoing.room > 0, var packet = queuePair.makePacket() else {
            // Soon again.
            peers[peer].shallAcknowledgeNow = true
            callAttention(peer)
            return
        }
        storeHead(packet.window, kind: kind, flags: flags, of: peer)
        if kind == .acknowledgement { packet.window.store64(peers[peer].earlyFrames, at: FrameLayout.fields) }
        packet.byteCount = kind.headerByteCount
        seal(
            packet, tail: DatagramSum.Tail(start: kind.headerByteCount, sum: 0), sequence: peers[peer].nextSequence, to: peer,
            tellsAll: true)
    }

    // Credits.

    /// Grants what was used up here, unless too much lies unexpected already.
    mutating func renewCredits(_ peer: UInt32) {
        if unexpectedByteCount <= options.unexpectedByteLimit {
            peers[peer].bytesGranted = peers[peer].bytesConsumed &+ options.byteCredit
        }
        let room = messageRoom
        let promised = Int(peers[peer].messagesGranted &- peers[peer].messagesArrived)
        let more = min(room, min(Self.longestPromise, Int(options.messageCredit) &+ room / 4) &- promised)
        guard more > 0 else { return }
        peers[peer].messagesGranted &+= UInt32(truncatingIfNeeded: more)
        promisedMessages &+= more
    }

    /// Messages that may be promised to one peer at most.
    private static let longestPromise = 1 << 14

    /// Places for unexpected messages that are free and promised to nobody, nor set aside for peers to come. What was promised can
    /// always be kept, so that no message without a receive ever stands in the way of the frames behind it.
    private var messageRoom: Int {
        unexpected.freeCount &- promisedMessages &- Int(options.messageCredit) &* peers.freeCount
    }

    /// A peer's message has left our memory: its credit goes back, with a frame of its own when the peer may run short.
    mutating func consumed(byteCount: Int, of peer: UInt32) {
        guard !peers[peer].hasFailed else { return }
        peers[peer].bytesConsumed &+= UInt32(truncatingIfNeeded: byteCount)
        renewCredits(peer)
        let isOutOfMessages = peers[peer].messagesTold == peers[peer].messagesArrived
        let news = peers[peer].messagesGranted &- peers[peer].messagesTold
        if peers[peer].bytesGranted &- peers[peer].bytesTold >= options.byteCredit / 4
            || news > (isOutOfMessages ? 0 : options.messageCredit / 4)
        {
            peers[peer].shallAcknowledgeNow = true
            callAttention(peer)
        }
    }
}
