import DeviceMemory

/// What became of a frame in turn.
enum Delivery {
    case done
    /// There is no room for it now; nothing was changed.
    case notNow
    /// No honest peer sends it.
    case violation
}

/// Frames in turn: each kind's fields are judged and carried out.
extension MessageEndpoint {
    mutating func deliver(_ frame: IncomingFrame, _ window: MemoryWindow, from peer: UInt32, now: UInt64) -> Delivery {
        switch frame.kind {
        case .message: return deliverMessage(frame, window, from: peer)
        case .continuation: return deliverContinuation(frame, window, from: peer)
        case .request: return deliverRequest(frame, window, from: peer)
        case .grant: return deliverGrant(window, from: peer)
        case .bulk: return deliverBulk(frame, window, from: peer)
        case .write: return deliverWrite(frame, window, from: peer)
        case .writeRequest: return deliverWriteRequest(frame, window, from: peer)
        case .read: return deliverRead(window, from: peer)
        case .atomic: return deliverAtomic(frame, window, from: peer)
        case .outcome: return deliverOutcome(window, from: peer)
        case .acknowledgement, .goodbye: return .violation
        }
    }

    // Eager messages.

    private mutating func deliverMessage(_ frame: IncomingFrame, _ window: MemoryWindow, from peer: UInt32) -> Delivery {
        let total = Int(window.load64(at: 96) & 0xffff_ffff)
        guard peers[peer].inbound == .none, window.load32(at: 100) == 0, frame.payloadByteCount <= total,
            total == frame.payloadByteCount || frame.payloadByteCount > 0
        else { return .violation }
        guard peers[peer].messagesGranted &- peers[peer].messagesArrived &- 1 < 1 << 31,
            Int(peers[peer].bytesGranted &- peers[peer].bytesArrived) >= total
        else { return .violation }
        let envelope = Envelope(frame, window, total: total, sender: nil)
        if let index = firstWaiting(envelope, from: peer) {
            guard let target = match(index, envelope, from: peer) else { return .notNow }
            peers[peer].inbound = .receive
            peers[peer].inboundIndex = target
        } else {
            guard let index = addUnexpected(envelope, from: peer) else { return .notNow }
            peers[peer].inbound = .unexpected
            peers[peer].inboundIndex = index
        }
        messageArrived(from: peer)
        peers[peer].bytesArrived &+= UInt32(truncatingIfNeeded: total)
        peers[peer].inboundTotal = total
        peers[peer].inboundByteCount = 0
        takeInbound(window, at: frame.kind.headerByteCount, byteCount: frame.payloadByteCount, from: peer)
        return .done
    }

    private mutating func messageArrived(from peer: UInt32) {
        peers[peer].messagesArrived &+= 1
        promisedMessages &-= 1
    }

    private mutating func deliverContinuation(_ frame: IncomingFrame, _ window: MemoryWindow, from peer: UInt32) -> Delivery {
        guard peers[peer].inbound != .none, window.load64(at: 80) == UInt64(peers[peer].inboundByteCount), frame.payloadByteCount > 0,
            frame.payloadByteCount <= peers[peer].inboundTotal &- peers[peer].inboundByteCount
        else { return .violation }
        // The last piece of a write is answered.
        guard controls.freeCount > 0 else { return .notNow }
        takeInbound(window, at: frame.kind.headerByteCount, byteCount: frame.payloadByteCount, from: peer)
        return .done
    }

    /// More of the eager message that is coming in.
    mutating func takeInbound(_ window: MemoryWindow, at start: Int, byteCount: Int, from peer: UInt32) {
        let offset = peers[peer].inboundByteCount
        let index = peers[peer].inboundIndex
        peers[peer].inboundByteCount = offset &+ byteCount
        let isWhole = offset &+ byteCount == peers[peer].inboundTotal
        let target = peers[peer].inbound
        if isWhole { peers[peer].inbound = .none }
        switch target {
        case .receive:
            // What has no room is dropped: the receive is told that it was truncated.
            let received = receives[index].receivedByteCount
            let count = min(byteCount, receives[index].expectedByteCount &- received)
            receives[index].request.memory.fill(from: window, at: start, byteCount: count, offset: received)
            receives[index].receivedByteCount = received &+ count
            if isWhole {
                let isMessage = receives[index].kind == .receive
                if isMessage { consumed(byteCount: peers[peer].inboundTotal, of: peer) }
                finishReceive(index)
            }
        case .unexpected:
            if let block = unexpected[index].block.window {
                window.copy(at: start, byteCount: byteCount, to: block, at: offset)
            }
            unexpected[index].receivedByteCount &+= byteCount
            if isWhole { unexpectedIsWhole(index) }
        case .nowhere:
            // Whoever calls has seen that there is room.
            if isWhole { _ = answer(peers[peer].refusedWrite, with: .remoteAccess, to: peer) }
        case .none: break
        }
    }

    // Messages that wait to be asked for.

    private mutating func deliverRequest(_ frame: IncomingFrame, _ window: MemoryWindow, from peer: UInt32) -> Delivery {
        let total = window.load64(at: 96)
        guard total <= UInt64(Int.max), peers[peer].messagesGranted &- peers[peer].messagesArrived &- 1 < 1 << 31 else { return .violation }
        let envelope = Envelope(frame, window, total: Int(total), sender: OperationName(word: window.load64(at: 104)))
        guard controls.freeCount > 0 else { return .notNow }
        if let index = firstWaiting(envelope, from: peer) {
            guard let target = match(index, envelope, from: peer) else { return .notNow }
            messageArrived(from: peer)
            consumed(byteCount: 0, of: peer)
            grant(target, sender: OperationName(word: window.load64(at: 104)))
        } else {
            guard addUnexpected(envelope, from: peer) != nil else { return .notNow }
            messageArrived(from: peer)
        }
        return .done
    }

    /// Asks for the bytes of a message, write or read that has found its place.
    mutating func grant(_ index: UInt32, sender: OperationName) {
        let operation = receives[index]
        let name = OperationName(receive: index, generation: operation.generation)
        receives[index].isAsked = true
        // Whoever calls has seen that there is room.
        _ = postControl(.grant, (sender.word, name.word, UInt64(operation.expectedByteCount), 0), to: operation.source)
        if operation.expectedByteCount == 0 { finishReceive(index) }
    }

    private mutating func deliverGrant(_ window: MemoryWindow, from peer: UInt32) -> Delivery {
        let byteCount = window.load64(at: 96)
        guard let index = sendOperation(OperationName(word: window.load64(at: 80)), of: peer), sends[index].stage == .requested,
            byteCount <= UInt64(sends[index].memory.byteCount)
        else { return .violation }
        if byteCount == 0 {
            finishSend(index)
            return .done
        }
        sends[index].stage = .granted
        sends[index].grantedByteCount = Int(byteCount)
        sends[index].remoteOperation = OperationName(word: window.load64(at: 88))
        enqueue(index, in: .bulk, of: peer)
        callAttention(peer)
        return .done
    }

    private mutating func deliverBulk(_ frame: IncomingFrame, _ window: MemoryWindow, from peer: UInt32) -> Delivery {
        guard let index = receiveOperation(OperationName(word: window.load64(at: 80)), of: peer),
            window.load64(at: 88) == UInt64(receives[index].receivedByteCount), frame.payloadByteCount > 0,
            frame.payloadByteCount <= receives[index].expectedByteCount &- receives[index].receivedByteCount
        else { return .violation }
        receives[index].request.memory.fill(
            from: window, at: frame.kind.headerByteCount, byteCount: frame.payloadByteCount, offset: receives[index].receivedByteCount)
        receives[index].receivedByteCount &+= frame.payloadByteCount
        if receives[index].receivedByteCount == receives[index].expectedByteCount { finishReceive(index) }
        return .done
    }

    // Names in frames.

    /// The operation that a peer names, if it is one with that peer.
    func sendOperation(_ name: OperationName, of peer: UInt32) -> UInt32? {
        guard !name.isReceive, sends.isInUse(name.index), sends[name.index].peer == peer,
            sends[name.index].generation == name.generation
        else { return nil }
        return name.index
    }

    /// A peer can guess the names of operations that it was not asked about yet: those are none.
    func receiveOperation(_ name: OperationName, of peer: UInt32) -> UInt32? {
        guard name.isReceive, receives.isInUse(name.index), receives[name.index].isAsked, receives[name.index].source == peer,
            receives[name.index].generation == name.generation
        else { return nil }
        return name.index
    }
}
