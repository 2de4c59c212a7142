import LinuxIO
import MPIBridge

/// The data path: what the C functions call. Each returns 0 or a negative error.
extension FabricObject where State == OpenEndpoint {
    @inline(__always) func send(
        _ memory: ApplicationMemory, to number: UInt64, space: MessageSpace, tag: UInt64 = 0, data: UInt64 = 0, context: UInt,
        options: OperationOptions
    ) -> Int {
        state.lock.around {
            guard let peer = state.peers[number] else { return Int(FabricError.invalid) }
            let now = MonotonicClock.nanoseconds()
            if options.contains(.acknowledged), state.awaited.isFull { return outcome(.tryAgain, now: now) }
            let request = SendRequest(to: peer, space: space, tag: tag, data: data, memory: memory, context: context, options: options)
            return outcome(state.transport?.send(request, now: now) ?? state.datagrams?.send(request), now: now)
        }
    }

    @inline(__always) func receive(
        _ memory: ApplicationMemory, from number: UInt64, space: MessageSpace, tag: UInt64 = 0, ignore: UInt64 = 0, context: UInt,
        options: OperationOptions
    ) -> Int {
        state.lock.around {
            let now = MonotonicClock.nanoseconds()
            guard let peer = source(number) else { return Int(FabricError.invalid) }
            let request = ReceiveRequest(
                from: peer, space: space, tag: tag, ignore: ignore, memory: memory, context: context, options: options)
            return outcome(state.transport?.receive(request, now: now) ?? state.datagrams?.receive(request), now: now)
        }
    }

    @inline(__always) func access(
        _ direction: RemoteMemoryRequest.Direction, _ memory: ApplicationMemory, of number: UInt64, offset: UInt64, key: UInt64,
        data: UInt64 = 0, context: UInt, options: OperationOptions
    ) -> Int {
        state.lock.around {
            guard let peer = state.peers[number] else { return Int(FabricError.invalid) }
            let now = MonotonicClock.nanoseconds()
            let request = RemoteMemoryRequest(
                direction, peer: peer, memory: memory, remoteOffset: offset, remoteKey: key, data: data, context: context, options: options)
            return outcome(state.transport?.access(request, now: now), now: now)
        }
    }

    /// fi_trecvmsg, fi_recvmsg with FI_PEEK.
    func peek(_ mode: MessageEndpoint.PeekMode, from number: UInt64, space: MessageSpace, tag: UInt64, ignore: UInt64, context: UInt) -> Int
    {
        state.lock.around {
            guard state.transport != nil else { return Int(FabricError.badState) }
            guard let peer = source(number) else { return Int(FabricError.invalid) }
            // What has arrived shall be found.
            let now = MonotonicClock.nanoseconds()
            progress(now: now)
            let request = ReceiveRequest(from: peer, space: space, tag: tag, ignore: ignore, memory: .none, context: context)
            guard state.transport?.peek(request, mode: mode, now: now) == true else { return Int(FabricError.tryAgain) }
            // Who sleeps on the queue hears of it.
            deliverCompletions()
            return 0
        }
    }

    /// With FI_CLAIM alone: the message that a peek with the same context set aside.
    func receiveClaimed(_ memory: ApplicationMemory, space: MessageSpace, context: UInt, options: OperationOptions) -> Int {
        state.lock.around {
            let now = MonotonicClock.nanoseconds()
            let request = ReceiveRequest(space: space, memory: memory, context: context, options: options)
            return outcome(state.transport?.receiveClaimed(request, now: now), now: now)
        }
    }

    /// With FI_CLAIM and FI_DISCARD: an entry says that the message is gone.
    func discardClaimed(space: MessageSpace, context: UInt) -> Int {
        state.lock.around {
            guard let queue = state.receiveQueue, queue.state.ring.room > 0 else { return Int(FabricError.tryAgain) }
            let now = MonotonicClock.nanoseconds()
            guard state.transport?.discardClaimed(context: context, space: space, now: now) == true else { return Int(FabricError.noEntry) }
            queue.state.append(.discarded(space: space, context: context))
            return 0
        }
    }

    /// fi_cancel: receives only; a send that was accepted is on its way.
    func cancel(context: UInt) -> Int {
        state.lock.around {
            let found = state.transport?.cancelReceive(context: context) ?? state.datagrams?.cancelReceive(context: context)
            guard found == true else { return Int(FabricError.noEntry) }
            deliverCompletions()
            return 0
        }
    }

    @inline(__always) private func source(_ number: UInt64) -> PeerID? {
        number == .max || !state.directsReceives ? .any : state.peers[number]
    }

    @inline(__always) func outcome(_ posting: Posting?, now: UInt64) -> Int {
        switch posting {
        case .accepted:
            if state.waiters > 0 { wakeWaiters() }
            return 0
        case .tryAgain:
            progress(now: now)
            return Int(FabricError.tryAgain)
        case .refused(let error): return -Int(error.libfabricNumber)
        case nil: return Int(FabricError.badState)
        }
    }
}
