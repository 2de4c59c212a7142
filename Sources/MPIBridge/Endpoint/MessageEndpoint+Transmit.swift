import DeviceMemory

/// From operations to frames: the window, credits, and what a frame is built of.
extension MessageEndpoint {
    /// Frames of bulk data that are handed to the NIC at once.
    private static var bulkBurst: Int { 4 }

    /// Slots that messages leave to answers.
    private var slotReserve: Int { options.retainedFrames / 8 }

    /// Sends what a peer's window and credits allow: answers, then messages in their order, then bulk data.
    mutating func pump(_ peer: UInt32, now: UInt64) {
        guard !peers[peer].hasFailed else { return }
        if !peers[peer].requests.reads.isEmpty { pumpReads(peer) }
        // Answers are short, and what they answer makes room: the window's frames are their only limit.
        while let index = peers[peer].controls.firstOrNil, hasRoom(peer, limit: PeerWindow.size, byteLimit: .max), slots.freeCount > 0 {
            emitControl(index, of: peer, now: now)
        }
        if peers[peer].bulk.isEmpty {
            pumpMessages(peer, limit: PeerWindow.size, now: now)
        } else {
            // In turn, so that neither waits for the end of the other, and within the same limit.
            peers[peer].bulkGoesFirst.toggle()
            if peers[peer].bulkGoesFirst { pumpBulk(peer, now: now) }
            pumpMessages(peer, limit: PeerWindow.bulkSize, now: now)
            pumpBulk(peer, now: now)
        }
        if peers[peer].isStalled {
            time(peer, now: now)
        } else if peers[peer].inFlight == 0, peers[peer].hasSomethingToSend, peers[peer].hasNextHop, !waitsForAnswers(peer) {
            // Only packets, slots or the ring were short, and no acknowledgement of this peer will bring us back.
            callAttention(peer)
        }
    }

    @inline(__always) private mutating func pumpMessages(_ peer: UInt32, limit: UInt32, now: UInt64) {
        while let index = peers[peer].messages.firstOrNil, hasRoom(peer, limit: min(limit, peers[peer].congestion.frames)),
            slots.freeCount > slotReserve
        {
            guard emitMessage(index, of: peer, now: now) else { break }
        }
    }

    private mutating func pumpBulk(_ peer: UInt32, now: UInt64) {
        while let index = peers[peer].bulk.firstOrNil, hasRoom(peer, limit: min(PeerWindow.bulkSize, peers[peer].congestion.frames)) {
            emitBulk(index, of: peer, now: now)
            // The peer works on the first pieces while the next are built.
            if outgoing.count >= Self.bulkBurst { flush() }
        }
    }

    /// Whether one more counted frame may go to a peer.
    @inline(__always) private func hasRoom(_ peer: UInt32, limit: UInt32, byteLimit: Int) -> Bool {
        peers[peer].inFlight < limit && peers[peer].bytesInFlight < byteLimit && peers[peer].hasNextHop && outgoing.room > 0
            && pool.freeCount > packetReserve
    }
    @inline(__always) private func hasRoom(_ peer: UInt32, limit: UInt32) -> Bool {
        hasRoom(peer, limit: limit, byteLimit: options.windowByteCount)
    }

    // Messages.

    /// Whether all of an eager message may go now.
    func canSendWhole(_ operation: SendOperation) -> Bool {
        let byteCount = operation.memory.byteCount
        guard byteCount <= options.eagerLimit, !operation.options.contains(.delivery), hasCredit(operation) else { return false }
        let frames = byteCount <= injectLimit ? 1 : 2 &+ byteCount / (frameByteCount &- FrameKind.continuation.headerByteCount)
        let peer = operation.peer
        return peers[peer].hasNextHop && Int(peers[peer].inFlight) &+ frames <= Int(peers[peer].congestion.frames)
            && peers[peer].bytesInFlight &+ byteCount <= options.windowByteCount && outgoing.room >= frames
            && pool.freeCount &- packetReserve >= frames && slots.freeCount &- slotReserve >= frames
    }

    private func hasCredit(_ operation: SendOperation) -> Bool {
        let byteCount = operation.memory.byteCount
        return peers[operation.peer].messageCredit != peers[operation.peer].messagesCharged
            && Int(peers[operation.peer].byteRoom) >= byteCount
    }

    func charge(_ operation: SendOperation) {
        peers[operation.peer].messagesCharged &+= 1
        peers[operation.peer].bytesCharged &+= UInt32(truncatingIfNeeded: operation.memory.byteCount)
    }

    /// One frame of the first message of a peer's queue. False: it has to wait, for credits or the end of earlier requests.
    private mutating func emitMessage(_ index: UInt32, of peer: UInt32, now: UInt64) -> Bool {
        if sends[index].stage == .waiting {
            let operation = sends[index]
            let isEager = operation.memory.byteCount <= options.eagerLimit && !operation.options.contains(.delivery)
            if operation.kind == .write || operation.kind == .atomic {
                guard mayAsk(peer) else { return false }
                peers[peer].requests.asked &+= 1
                if operation.kind == .atomic { receives[operation.remoteOperation.index].isAsked = true }
                // An atomic access is one frame, whatever the limit.
                if !isEager, operation.kind == .write { return emitRequest(index, of: peer, now: now) }
            } else if isEager, hasCredit(operation) {
                charge(operation)
            } else if peers[peer].messageCredit == peers[peer].messagesCharged {
                if !peers[peer].isStalled {
                    counters.creditStalls &+= 1
                    if peers[peer].inFlight == 0 { peers[peer].owingSince = now }
                }
                peers[peer].isStalled = true
                return false
            } else {
                peers[peer].messagesCharged &+= 1
                return emitRequest(index, of: peer, now: now)
            }
        }
        var operation = sends[index]
        emitEager(&operation, index: index, now: now)
        sends[index] = operation
        guard operation.stage == .awaitingOutcome else { return true }
        peers[peer].messages.first = sends[index].next
        // A write is done when the peer says so; an atomic access has something else that waits for that.
        if sends[index].kind != .write { finishSend(index) }
        return true
    }

    /// The next frame of an eager message or write. Its stage is `awaitingOutcome` after the last one.
    /// - Parameter index: of a write, which the peer is told.
    mutating func emitEager(_ operation: inout SendOperation, index: UInt32 = .max, now: UInt64) {
        let isFirst = operation.stage == .waiting
        let kind = isFirst ? operation.firstFrame : .continuation
        let head = kind.headerByteCount
        let count = min(operation.memory.byteCount &- operation.sentByteCount, frameByteCount &- head)
        guard let slot = slots.take() else { preconditionFailure("a frame without a slot") }
        let window = slots.window(slot)
        let isLast = operation.sentByteCount &+ count == operation.memory.byteCount
        var flags = operation.flags
        if isLast, operation.kind == .write { flags.insert(.answerAtOnce) }
        storeHead(window, kind: kind, flags: flags, of: operation.peer)
        switch kind {
        case .message:
            window.store64(operation.tag, at: 80)
            window.store64(operation.data, at: 88)
            window.store64(UInt64(operation.memory.byteCount), at: 96)
        case .write:
            let name = OperationName(send: index, generation: operation.generation)
            window.store64(operation.remoteKey, at: 80)
            window.store64(operation.remoteOffset, at: 88)
            window.store64(operation.data, at: 96)
            window.store64(name.word, at: 104)
            window.store64(UInt64(operation.memory.byteCount), at: 112)
        case .atomic:
            window.store64(operation.remoteKey, at: 80)
            window.store64(operation.remoteOffset, at: 88)
            window.store64(operation.data, at: 96)
            window.store64(operation.remoteOperation.word, at: 104)
            window.store64(operation.tag, at: 112)
        default:
            window.store64(UInt64(operation.sentByteCount), at: 80)
        }
        operation.memory.copy(offset: operation.sentByteCount, byteCount: count, to: window, at: head)
        operation.sentByteCount &+= count
        if isFirst { counters.eagerSent &+= 1 }
        counters.bytesSent &+= UInt64(count)
        operation.stage = isLast ? .awaitingOutcome : .eager
        sendSlot(slot, byteCount: head &+ count, to: operation.peer, now: now)
    }

    /// Tells of a message or write that is sent when it is asked for.
    private mutating func emitRequest(_ index: UInt32, of peer: UInt32, now: UInt64) -> Bool {
        guard let slot = slots.take() else { return false }
        let operation = sends[index]
        let kind: FrameKind = operation.kind == .write ? .writeRequest : .request
        let window = slots.window(slot)
        let name = OperationName(send: index, generation: operation.generation)
        storeHead(window, kind: kind, flags: operation.flags, of: peer)
        if kind == .request {
            window.store64(operation.tag, at: 80)
            window.store64(operation.data, at: 88)
            window.store64(UInt64(operation.memory.byteCount), at: 96)
            window.store64(name.word, at: 104)
        } else {
            window.store64(operation.remoteKey, at: 80)
            window.store64(operation.remoteOffset, at: 88)
            window.store64(operation.data, at: 96)
            window.store64(name.word, at: 104)
            window.store64(UInt64(operation.memory.byteCount), at: 112)
        }
        peers[peer].messages.first = operation.next
        sends[index].stage = .requested
        counters.rendezvousSent &+= 1
        sendSlot(slot, byteCount: kind.headerByteCount, to: peer, now: now)
        return true
    }

    // Answers.

    /// Queues a small frame. False: there are too many, try when some are gone.
    mutating func postControl(_ kind: FrameKind, _ words: (UInt64, UInt64, UInt64, UInt64), to peer: UInt32) -> Bool {
        guard let index = controls.take(ControlFrame(kind: kind, words: words)) else { return false }
        var queue = peers[peer].controls
        if queue.isEmpty { queue.first = index } else { controls[queue.last].next = index }
        queue.last = index
        peers[peer].controls = queue
        callAttention(peer)
        return true
    }

    private mutating func emitControl(_ index: UInt32, of peer: UInt32, now: UInt64) {
        guard let slot = slots.take() else { return }
        let control = controls[index]
        peers[peer].controls.first = control.next
        controls.give(index)
        if control.kind == .outcome { served(peer) }
        let window = slots.window(slot)
        storeHead(window, kind: control.kind, flags: [], of: peer)
        // The slot's rest is not sent: as much as the kind has is.
        window.store64(control.words.0, at: FrameLayout.fields)
        window.store64(control.words.1, at: FrameLayout.fields &+ 8)
        window.store64(control.words.2, at: FrameLayout.fields &+ 16)
        window.store64(control.words.3, at: FrameLayout.fields &+ 24)
        sendSlot(slot, byteCount: control.kind.headerByteCount, to: peer, now: now)
    }

    // Bulk data.

    private mutating func emitBulk(_ index: UInt32, of peer: UInt32, now: UInt64) {
        let operation = sends[index]
        let count = min(operation.grantedByteCount &- operation.sentByteCount, frameByteCount &- FrameKind.bulk.headerByteCount)
        guard var packet = queuePair.makePacket() else { return }
        let tail = storeBulk(packet.window, operation: operation, offset: operation.sentByteCount, byteCount: count)
        let total = FrameKind.bulk.headerByteCount &+ count
        let sequence = peers[peer].nextSequence
        peers[peer].window[sequence] = SentFrame(
            source: .bulk, byteCount: UInt16(truncatingIfNeeded: total), operation: index, offset: operation.sentByteCount,
            payloadByteCount: count, sentAt: now)
        packet.byteCount = total
        counters.bytesSent &+= UInt64(count)
        sends[index].sentByteCount &+= count
        if sends[index].sentByteCount == operation.grantedByteCount { peers[peer].bulk.first = operation.next }
        seal(packet, tail: tail, sequence: sequence, to: peer)
        counted(peer, byteCount: total, now: now)
    }

    /// Builds a bulk frame, whose sequence number is filled in when it is sealed.
    /// - Returns: the payload's sum.
    func storeBulk(_ window: MemoryWindow, operation: SendOperation, offset: Int, byteCount: Int) -> DatagramSum.Tail {
        // The sender's memory is free again when the last piece is acknowledged.
        let isLast = offset &+ byteCount == operation.grantedByteCount
        storeHead(window, kind: .bulk, flags: isLast ? .answerAtOnce : [], of: operation.peer)
        window.store64(operation.remoteOperation.word, at: 80)
        window.store64(UInt64(offset), at: 88)
        let start = FrameKind.bulk.headerByteCount
        return DatagramSum.Tail(
            start: start, sum: operation.memory.copySumming(offset: offset, byteCount: byteCount, to: window, at: start))
    }
}
