import DeviceMemory

/// Remote memory, carried by messages: the one who owns the memory copies, while it makes progress.
extension MessageEndpoint {
    /// Lets peers reach memory. False: the key is taken, or there are too many.
    ///
    /// - Parameters:
    ///   - base: what peers call the first byte: 0, or the number that programs know as its address.
    ///   - peer: who reaches it. Of others the key is a wrong one.
    ///
    /// Safety duty of the caller: the memory stays until ``unregister(key:)``.
    @unsafe public mutating func register(
        address: UInt, byteCount: Int, key: UInt64, access: RegionAccess, base: UInt64 = 0, peer: PeerID = .any
    ) -> Bool {
        guard byteCount >= 0 else { return false }
        // SAFETY: the caller's duty.
        return regions.add(
            unsafe ApplicationMemory(address: address, byteCount: byteCount), key: key, access: access, base: base, peer: peer)
    }

    mutating func postRead(_ request: RemoteMemoryRequest, now: UInt64) -> Posting {
        guard receives.count < options.receiveCapacity else { return .tryAgain }
        let receive = ReceiveRequest(
            from: request.peer, space: .untagged, memory: request.memory, context: request.context, options: request.options)
        guard let index = postReceive(receive) else { return .tryAgain }
        receives[index].kind = .read
        receives[index].isMatched = true
        receives[index].source = request.peer.index
        receives[index].totalByteCount = request.memory.byteCount
        receives[index].expectedByteCount = request.memory.byteCount
        receives[index].setRemotePlace(key: request.remoteKey, offset: request.remoteOffset)
        enqueueRead(index, of: request.peer.index)
        settle(now: now)
        return .accepted
    }

    mutating func deliverRead(_ window: MemoryWindow, from peer: UInt32) -> Delivery {
        let byteCount = window.load64(at: 96)
        let name = OperationName(word: window.load64(at: 104))
        guard name.isReceive, !asksTooMuch(peer) else { return .violation }
        guard controls.freeCount > 0, sends.freeCount > 0, hasCompletionRoom else { return .notNow }
        let key = window.load64(at: 80)
        guard let memory = regions.part(key, offset: window.load64(at: 88), byteCount: byteCount, for: .remoteRead, by: peer)
        else {
            counters.accessesRefused &+= 1
            return answer(name, with: .remoteAccess, to: peer)
        }
        counters.readsServed &+= 1
        var reply = SendOperation(reply: memory, to: name, of: peer)
        reply.generation = nextGeneration()
        reply.regionKey = key
        if byteCount == 0 {
            reportAccess(.remoteRead, key: key, byteCount: 0, by: peer)
            return answer(name, with: nil, to: peer)
        }
        guard let index = sends.take(reply) else { return .notNow }
        peers[peer].requests.served &+= 1
        enqueue(index, in: .bulk, of: peer)
        callAttention(peer)
        return .done
    }

    mutating func deliverWrite(_ frame: IncomingFrame, _ window: MemoryWindow, from peer: UInt32) -> Delivery {
        let total = window.load64(at: 112)
        guard peers[peer].inbound == .none, !asksTooMuch(peer), frame.payloadByteCount <= total, total <= UInt64(Int.max),
            total == frame.payloadByteCount || frame.payloadByteCount > 0
        else { return .violation }
        guard controls.freeCount > 0 else { return .notNow }
        let place = (key: window.load64(at: 80), offset: window.load64(at: 88))
        if let memory = regions.part(place.key, offset: place.offset, byteCount: total, for: .remoteWrite, by: peer) {
            guard let index = startWrite(frame, window, into: memory, from: peer) else { return .notNow }
            receives[index].sender = OperationName(word: window.load64(at: 104))
            peers[peer].inbound = .receive
            peers[peer].inboundIndex = index
        } else {
            counters.accessesRefused &+= 1
            peers[peer].inbound = .nowhere
            peers[peer].refusedWrite = OperationName(word: window.load64(at: 104))
        }
        peers[peer].inboundTotal = Int(total)
        peers[peer].inboundByteCount = 0
        takeInbound(window, at: frame.kind.headerByteCount, byteCount: frame.payloadByteCount, from: peer)
        return .done
    }

    mutating func deliverWriteRequest(_ frame: IncomingFrame, _ window: MemoryWindow, from peer: UInt32) -> Delivery {
        guard !asksTooMuch(peer) else { return .violation }
        guard controls.freeCount > 0 else { return .notNow }
        let sender = OperationName(word: window.load64(at: 104))
        guard
            let memory = regions.part(
                window.load64(at: 80), offset: window.load64(at: 88), byteCount: window.load64(at: 112), for: .remoteWrite,
                by: peer)
        else {
            counters.accessesRefused &+= 1
            return answer(sender, with: .remoteAccess, to: peer)
        }
        guard let index = startWrite(frame, window, into: memory, from: peer) else { return .notNow }
        grant(index, sender: sender)
        return .done
    }

    private mutating func startWrite(
        _ frame: IncomingFrame, _ window: MemoryWindow, into memory: ApplicationMemory, from peer: UInt32
    ) -> UInt32? {
        let carriesData = frame.flags.contains(.carriesData)
        guard hasCompletionRoom, let index = postReceive(ReceiveRequest(space: .untagged, memory: memory, options: [])) else { return nil }
        openWrites &+= 1
        peers[peer].requests.served &+= 1
        receives[index].kind = .write
        receives[index].regionKey = window.load64(at: 80)
        receives[index].isMatched = true
        receives[index].source = peer
        receives[index].data = window.load64(at: 96)
        receives[index].carriesData = carriesData
        receives[index].totalByteCount = memory.byteCount
        receives[index].expectedByteCount = memory.byteCount
        return index
    }

    /// A peer has what it read, or an atomic access is done.
    mutating func reportAccess(_ kind: Completion.Kind, key: UInt64, byteCount: Int, by peer: UInt32) {
        guard options.reportsAccesses else { return }
        var completion = Completion(kind: kind, space: .untagged, context: 0, peer: PeerID(index: peer), byteCount: byteCount)
        completion.tag = key
        completions.append(completion)
    }

    /// A peer's write is in our memory.
    mutating func finishWrite(_ index: UInt32) {
        let operation = receives[index]
        giveWrite(index)
        served(operation.source)
        counters.writesServed &+= 1
        if let sender = operation.sender { _ = answer(sender, with: nil, to: operation.source) }
        guard operation.carriesData || options.reportsAccesses else { return }
        var completion = Completion(
            kind: .remoteWrite, space: .untagged, context: 0, peer: PeerID(index: operation.source), byteCount: operation.receivedByteCount)
        completion.tag = operation.regionKey ?? 0
        completion.data = operation.data
        completion.carriesData = operation.carriesData
        completions.append(completion)
    }

    mutating func giveWrite(_ index: UInt32) {
        receives.give(index)
        openWrites &-= 1
    }

    mutating func answer(_ name: OperationName, with error: TransportError?, to peer: UInt32) -> Delivery {
        guard postControl(.outcome, (name.word, UInt64(error?.rawValue ?? 0), 0, 0), to: peer) else { return .notNow }
        peers[peer].requests.served &+= 1
        return .done
    }

    /// How a write or read ended that the peer did not send data for.
    mutating func deliverOutcome(_ window: MemoryWindow, from peer: UInt32) -> Delivery {
        let name = OperationName(word: window.load64(at: 80))
        let value = window.load64(at: 88)
        let error: TransportError? = value == 0 ? nil : UInt8(exactly: value).flatMap(TransportError.init) ?? .remoteAccess
        if let index = receiveOperation(name, of: peer), receives[index].awaitsAnswer {
            guard error != nil || receives[index].expectedByteCount == 0 else { return .violation }
            complete(index, error: error)
            return .done
        }
        guard let index = sendOperation(name, of: peer), sends[index].kind == .write,
            sends[index].stage == .awaitingOutcome || sends[index].stage == .requested && error != nil
        else { return .violation }
        finishSend(index, error: error)
        return .done
    }
}
