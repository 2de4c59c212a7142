import LinuxIO
import MPIBridge

/// The error state, and the way out of use.
extension VerbsObject where State == VerbsQueuePair {
    /// Nothing begins any more. Requests that were not begun are flushed, those that the transport has when it lets go of them:
    /// their memory is the program's again with the completion, not earlier.
    func enterError() {
        guard state.state != .error else { return }
        state.state = .error
        closeMemory()
        flush()
    }

    /// Requests of a queue pair in error, also those that are posted to it now.
    func flush() {
        flushReceives()
        while state.sends.hasWaiting {
            let position = state.sends.next
            if state.sends[position].status == .success { state.sends[position].status = .flushed }
            state.sends[position].stage = .done
            state.sends.next = position &+ 1
        }
        completeSends()
        if !state.sends.isEmpty || !state.receives.isEmpty { becomeBusy() }
    }

    private func flushReceives() {
        if state.service == .connected {
            var position = state.receives.head
            while position != state.receives.next {
                let name = WorkName(queuePair: state.number, position: position, isReceive: true)
                if state.receives[position].status == .flushed {
                    state.receives[position].isDone = true
                } else if !state.receives[position].isDone {
                    // A receive that has its message already ends with it.
                    _ = state.adapter.state.transport.cancelReceive(context: name.word)
                }
                position &+= 1
            }
        }
        while state.receives.hasWaiting {
            let position = state.receives.next
            state.receives[position].status = .flushed
            state.receives[position].isDone = true
            state.receives.next = position &+ 1
        }
        completeReceives()
    }

    /// Waits, for a bounded time, until no operation of the transport has memory of this queue pair's requests; then forgets them,
    /// and messages that wait for receives of it.
    func quiesce() {
        state.isSilent = true
        enterError()
        let deadline = Deadline(afterMilliseconds: 2000)
        while !isAtRest, !deadline.hasPassed {
            state.adapter.progress(now: MonotonicClock.nanoseconds())
            Processor.yield()
        }
        if !isAtRest, let peer = state.peer {
            // It neither takes nor gives: all that there is with it ends.
            state.adapter.state.transport.declareDead(peer)
            state.adapter.progress(now: MonotonicClock.nanoseconds())
        }
        dropMessages()
        state.sends.removeAll()
        state.receives.removeAll()
        state.order = SendOrder()
        state.readiness.reset()
        state.isSilent = false
    }

    /// What is sent and not acknowledged was copied.
    private var isAtRest: Bool {
        guard state.receives.head == state.receives.next else { return false }
        var position = state.sends.head
        while position != state.sends.next {
            if state.sends[position].stage == .begun { return false }
            position &+= 1
        }
        return true
    }

    private func dropMessages() {
        guard state.service == .connected, let peer = state.peer else { return }
        let request = ReceiveRequest(
            from: peer, space: .tagged, tag: ConnectedTag(from: state.remoteNumber, to: state.number).word, ignore: ConnectedTag.ignored,
            memory: .none)
        let now = MonotonicClock.nanoseconds()
        for _ in 0..<TransportOptions().unexpectedCapacity {
            if state.adapter.peek(request, mode: .discard, now: now) == nil { return }
        }
    }

    // Memory that peers reach.

    /// Opens the protection domain's regions to the peer, to it alone, as far as region and queue pair allow. False: there are too many.
    func openMemory() -> Bool {
        guard state.service == .connected, !state.opensMemory, let peer = state.peer else { return true }
        state.opensMemory = true
        // SAFETY: no bytes.
        var isComplete = unsafe state.adapter.state.transport.register(
            address: 0, byteCount: 0, key: Self.remoteKey(of: Self.questionKey, through: state.number), access: .remoteRead, peer: peer)
        state.adapter.state.memory.forEach(in: state.domain) { region in if !open(region) { isComplete = false } }
        return isComplete
    }

    func open(_ region: MemoryKeys.Region) -> Bool {
        let access = region.access.remote(over: state.access)
        guard state.opensMemory, !access.isEmpty, let peer = state.peer else { return true }
        // SAFETY: the program lends the memory until it deregisters it, which closes it first.
        return unsafe state.adapter.state.transport.register(
            address: region.address, byteCount: region.byteCount, key: Self.remoteKey(of: region.key, through: state.number),
            access: access, base: region.base, peer: peer)
    }

    func close(_ key: UInt32) {
        _ = state.adapter.state.transport.unregister(key: Self.remoteKey(of: key, through: state.number))
    }

    func closeMemory() {
        guard state.opensMemory else { return }
        state.opensMemory = false
        var keys = [Self.questionKey]
        state.adapter.state.memory.forEach(in: state.domain) { keys.append($0.key) }
        for key in keys { close(key) }
    }
}
