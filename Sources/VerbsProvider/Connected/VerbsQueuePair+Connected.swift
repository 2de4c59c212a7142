import MPIBridge

/// RC: requests of a queue pair as operations of the transport.
extension VerbsObject where State == VerbsQueuePair {
    /// Receives that the transport knows at once: enough that no message waits, few enough that other queue pairs' messages
    /// find theirs quickly.
    private static var postedLimit: Int { 256 }

    // Sending.

    func beginSends(now: UInt64) {
        if state.order.openWrites > 0, state.state == .readyToSend { tellOfWrites(now: now) }
        while state.sends.hasWaiting, state.state == .readyToSend, let peer = state.peer {
            let position = state.sends.next
            let work = state.sends[position]
            guard work.status == .success else { return failSend(position, work.status) }
            guard
                state.order.allows(
                    work.operation, isFenced: work.options.contains(.fenced), readLimit: Int(state.attributes.max_rd_atomic))
            else { return }
            if work.operation != .send, !state.readiness.isReady {
                guard let status = ask(peer, now: now) else { return }
                return failSend(position, status)
            }
            let isLong = work.memory.byteCount > state.adapter.state.eagerLimit
            state.sends[position].stage = .begun
            switch post(work, position: position, to: peer, now: now) {
            case .accepted:
                state.order.began(work.operation, isLong: isLong)
                state.sends.next = position &+ 1
            case .tryAgain:
                state.sends[position].stage = .waiting
                return
            case .refused(let error): return failSend(position, WorkStatus(error))
            }
        }
    }

    /// Asks whether the other side takes requests for its memory. Returns what a request ends with that cannot wait for it any more.
    private func ask(_ peer: PeerID, now: UInt64) -> WorkStatus? {
        let patience = PeerReadiness.patience(timeout: state.attributes.timeout, retries: state.attributes.retry_cnt)
        if state.readiness.isOver(now: now, patience: patience) { return .retriesExceeded }
        guard state.readiness.mayAsk(now: now) else { return nil }
        let question = RemoteMemoryRequest(
            .read, peer: peer, memory: .none, remoteOffset: 0, remoteKey: Self.remoteKey(of: Self.questionKey, through: state.remoteNumber),
            context: WorkName(queuePair: state.number, turn: state.readiness.turn).word)
        switch state.adapter.state.transport.access(question, now: now) {
        case .accepted: state.readiness.asked()
        case .tryAgain: break
        case .refused(let error): return WorkStatus(error)
        }
        return nil
    }

    func questionEnded(_ completion: Completion, turn: UInt32) {
        guard turn == state.readiness.turn else { return }
        switch completion.error {
        case nil: state.readiness.answered()
        case .remoteAccess: state.readiness.refused(now: state.adapter.state.lastProgress)
        default: state.readiness.failed()
        }
    }

    private func post(_ work: SendWork, position: UInt32, to peer: PeerID, now: UInt64) -> Posting {
        let context = WorkName(queuePair: state.number, position: position, isReceive: false).word
        switch work.operation {
        case .send:
            var flags = ConnectedFlags()
            if work.options.contains(.immediate) { flags.insert(.immediate) }
            if work.options.contains(.solicited) { flags.insert(.solicited) }
            return state.adapter.state.transport.send(
                SendRequest(
                    to: peer, space: .tagged, tag: ConnectedTag(from: state.number, to: state.remoteNumber, flags: flags).word,
                    data: UInt64(work.immediate), memory: work.memory, context: context), now: now)
        case .write, .writeImmediate, .read:
            return state.adapter.state.transport.access(
                RemoteMemoryRequest(
                    work.operation == .read ? .read : .write, peer: peer, memory: work.memory, remoteOffset: work.remoteAddress,
                    remoteKey: Self.remoteKey(of: work.remoteKey, through: state.remoteNumber), context: context), now: now)
        }
    }

    /// Of the region without bytes that ``PeerReadiness`` asks for: no region's (``MemoryKeys``).
    static var questionKey: UInt32 { 0 }
    /// Peers reach a region through a queue pair: its key names both.
    static func remoteKey(of key: UInt32, through queuePair: UInt32) -> UInt64 { UInt64(queuePair) << 32 | UInt64(key) }

    /// Writes with immediate data whose bytes are there: the receiver is told by a message without any, which uses up a receive.
    private func tellOfWrites(now: UInt64) {
        guard let peer = state.peer else { return }
        var position = state.sends.head
        while position != state.sends.next {
            defer { position &+= 1 }
            guard state.sends[position].stage == .tellDue else { continue }
            let work = state.sends[position]
            var flags: ConnectedFlags = [.immediate, .write]
            if work.options.contains(.solicited) { flags.insert(.solicited) }
            let tag = ConnectedTag(from: state.number, to: state.remoteNumber, flags: flags)
            let request = SendRequest(
                to: peer, space: .tagged, tag: tag.word, data: UInt64(work.immediate) | UInt64(work.memory.byteCount) << 32, memory: .none,
                options: [])
            switch state.adapter.state.transport.send(request, now: now) {
            case .accepted:
                writeEnded(position, mark: state.adapter.state.transport.sendMark(for: peer) ?? 0)
            case .tryAgain: return
            case .refused(let error):
                state.sends[position].status = WorkStatus(error)
                state.sends[position].stage = .done
                state.order.ended(work.operation, isLong: work.memory.byteCount > state.adapter.state.eagerLimit)
            }
        }
    }

    private func writeEnded(_ position: UInt32, mark: UInt32) {
        let work = state.sends[position]
        state.sends[position].mark = mark
        state.sends[position].stage = .sent
        state.order.ended(work.operation, isLong: work.memory.byteCount > state.adapter.state.eagerLimit)
    }

    /// The transport is done with a request.
    func sendEnded(_ completion: Completion, position: UInt32) {
        guard state.sends.contains(position), state.sends[position].stage == .begun else { return }
        let work = state.sends[position]
        let status = WorkStatus(completion.error)
        if status != .success { state.order.failed() }
        becomeBusy()
        if work.operation == .send {
            state.sends[position].mark = state.peer.flatMap { state.adapter.state.transport.sendMark(for: $0) } ?? 0
            state.sends[position].status = status
            // Of a long one every byte is acknowledged.
            let isLong = work.memory.byteCount > state.adapter.state.eagerLimit
            state.sends[position].stage = status != .success || isLong ? .done : .sent
            return
        }
        if work.operation == .writeImmediate, status == .success {
            state.sends[position].stage = .tellDue
            return
        }
        state.order.ended(work.operation, isLong: work.memory.byteCount > state.adapter.state.eagerLimit)
        state.sends[position].status = status
        state.sends[position].stage = .done
    }

    /// A request that could not begin.
    private func failSend(_ position: UInt32, _ status: WorkStatus) {
        state.order.failed()
        state.sends[position].status = status
        state.sends[position].stage = .done
        state.sends.next = position &+ 1
    }

    /// Completes requests in their order.
    func completeSends() {
        while state.sends.head != state.sends.next {
            var work = state.sends[state.sends.head]
            switch work.stage {
            case .waiting, .begun, .tellDue:
                // Nobody is told by a queue pair that is in error.
                guard work.stage == .tellDue, state.state == .error else { return }
                state.order.ended(work.operation, isLong: work.memory.byteCount > state.adapter.state.eagerLimit)
                work.status = .flushed
            case .sent:
                guard let peer = state.peer, !state.adapter.state.transport.isAcknowledged(work.mark, by: peer) else { break }
                guard state.adapter.state.transport.hasFailed(peer) else { return }
                work.status = .retriesExceeded
            case .done: break
            }
            // Only the first one tells what went wrong (ibv_poll_cq(3)).
            if state.state == .error, work.status == .retriesExceeded { work.status = .flushed }
            state.sends.removeFirst()
            complete(work)
            if work.status != .success, state.state != .error { enterError() }
        }
    }

    // Receiving.

    /// Hands receives to the transport, in their order.
    func postReceives(now: UInt64) {
        guard state.state.receives, let peer = state.peer else { return }
        while state.receives.hasWaiting, Int(state.receives.next &- state.receives.head) < Self.postedLimit {
            let position = state.receives.next
            let request = ReceiveRequest(
                from: peer, space: .tagged, tag: ConnectedTag(from: state.remoteNumber, to: state.number).word,
                ignore: ConnectedTag.ignored, memory: state.receives[position].memory,
                context: WorkName(queuePair: state.number, position: position, isReceive: true).word)
            // Its message may be here already: its end comes with the next look at completions.
            state.receives.next = position &+ 1
            switch state.adapter.state.transport.receive(request, now: now) {
            case .accepted: continue
            case .tryAgain, .refused:
                // Of a peer that is gone nothing comes: they wait until the queue pair is in error.
                state.receives.next = position
                return
            }
        }
    }

    func receiveEnded(_ completion: Completion, position: UInt32) {
        guard state.receives.contains(position), !state.receives[position].isDone else { return }
        if completion.error == .peerFailed, state.state != .error {
            // Silence is no error of a receive: what was posted stays so.
            state.receives[position].status = .flushed
            return
        }
        let tag = ConnectedTag(word: completion.tag)
        // Whoever sends has made the step before.
        if completion.error == nil { state.readiness.answered() }
        state.receives[position].isDone = true
        state.receives[position].status = state.state == .error && completion.error != nil ? .flushed : WorkStatus(completion.error)
        state.receives[position].flags = tag.flags
        state.receives[position].immediate = UInt32(truncatingIfNeeded: completion.data)
        state.receives[position].byteCount =
            tag.flags.contains(.write)
            ? UInt32(truncatingIfNeeded: completion.data >> 32) : UInt32(truncatingIfNeeded: completion.byteCount)
        completeReceives()
        becomeBusy()
    }

    /// Completes receives in their order: a short message behind a long one may be whole earlier.
    func completeReceives() {
        while state.receives.head != state.receives.next, state.receives[state.receives.head].isDone {
            let work = state.receives[state.receives.head]
            state.receives.removeFirst()
            if work.status == .flushed {
                flushed(work.wrID, isReceive: true)
                continue
            }
            var completion = WorkCompletion(
                wrID: work.wrID, status: work.status, opcode: work.flags.contains(.write) ? .receiveWrite : .receive,
                queuePair: state.number)
            completion.byteCount = work.byteCount
            completion.sourceQueuePair = state.remoteNumber
            if work.flags.contains(.immediate) { completion.immediate = work.immediate }
            if !state.isSilent { state.receiveQueue.append(completion, isSolicited: work.flags.contains(.solicited)) }
            if work.status != .success, state.state != .error { enterError() }
        }
    }
}
