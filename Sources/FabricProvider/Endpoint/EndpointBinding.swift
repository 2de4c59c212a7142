import CLibfabric

/// What an endpoint is bound to (fi_endpoint(3), fi_ep_bind). With the domain's lock, but for ``exchangeFlags(_:sets:)``.
extension FabricObject where State == OpenEndpoint {
    func bind(_ queue: FabricObject<CompletionQueue>, flags: UInt64) -> Int32 {
        guard queue.state.domain == state.domain else { return FabricError.otherDomain }
        guard flags & ~(FI_TRANSMIT | FI_RECV | FI_SELECTIVE_COMPLETION) == 0, flags & (FI_TRANSMIT | FI_RECV) != 0 else {
            return FabricError.badFlags
        }
        let isSelective = flags & FI_SELECTIVE_COMPLETION != 0
        if flags & FI_TRANSMIT != 0 {
            guard state.transmitQueue == nil else { return FabricError.invalid }
            state.transmitQueue = queue
            state.settings.isTransmitSelective = isSelective
            queue.state.bindings += 1
        }
        if flags & FI_RECV != 0 {
            guard state.receiveQueue == nil else { return FabricError.invalid }
            state.receiveQueue = queue
            state.settings.isReceiveSelective = isSelective
            queue.state.bindings += 1
        }
        queue.state.add(self)
        return 0
    }

    func bind(_ vector: FabricObject<AddressVector>) -> Int32 {
        guard vector.state.domain == state.domain else { return FabricError.otherDomain }
        guard state.addressVector == nil else { return FabricError.invalid }
        state.addressVector = vector
        vector.state.bindings += 1
        return 0
    }

    func bind(_ counter: FabricObject<EventCounter>, flags: UInt64) -> Int32 {
        guard counter.state.domain == state.domain else { return FabricError.otherDomain }
        let places: [(UInt64, WritableKeyPath<EndpointCounters, FabricObject<EventCounter>?>)] = [
            (FI_SEND, \.send), (FI_RECV, \.receive), (FI_READ, \.read), (FI_WRITE, \.write), (FI_REMOTE_READ, \.remoteRead),
            (FI_REMOTE_WRITE, \.remoteWrite),
        ]
        guard flags & ~places.reduce(0, { $0 | $1.0 }) == 0, flags != 0 else { return FabricError.badFlags }
        for (flag, place) in places where flags & flag != 0 {
            state.counters[keyPath: place] = counter
            counter.state.bindings += 1
        }
        counter.state.endpoints.add(self)
        return 0
    }

    /// Nobody sleeps on the port any more, which is closed next.
    func letSleepersGo() {
        for queue in [state.transmitQueue, state.receiveQueue] {
            queue?.state.disarm()
            queue?.state.remove(self)
        }
        state.domain.state.thread?.remove(self)
    }

    /// The others may be closed after this.
    func unbind() {
        for queue in [state.transmitQueue, state.receiveQueue] { queue?.state.bindings -= 1 }
        for counter in state.counters.all {
            counter.state.bindings -= 1
            counter.state.endpoints.remove(self)
        }
        state.addressVector?.state.bindings -= 1
    }

    /// FI_GETOPSFLAG, FI_SETOPSFLAG: the flags that calls without flags have.
    func exchangeFlags(_ flags: inout UInt64, sets: Bool) -> Int32 {
        let side = flags & (FI_TRANSMIT | FI_RECV)
        guard side == FI_TRANSMIT || side == FI_RECV else { return FabricError.invalid }
        if !sets {
            flags = side == FI_TRANSMIT ? state.settings.transmitFlags : state.settings.receiveFlags
            return 0
        }
        let value = flags & ~side
        guard value & ~(side == FI_TRANSMIT ? OpenEndpoint.sendFlags : FI_COMPLETION | FI_MULTI_RECV) == 0 else {
            return FabricError.badFlags
        }
        state.lock.around {
            if side == FI_TRANSMIT { state.settings.transmitFlags = value } else { state.settings.receiveFlags = value }
            state.setDefaults()
        }
        return 0
    }
}
