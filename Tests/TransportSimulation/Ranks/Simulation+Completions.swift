import MPIBridge

/// What endpoints say of their operations, against what was asked for.
extension Simulation {
    func takeCompletions(of rank: Rank) throws {
        while let completion = rank.endpoint.takeCompletion() {
            observations += 1
            do { try judge(completion, of: rank) } catch let found as SimulationFailure {
                throw failure("rank \(rank.index): \(found.reason)\n    \(completion)")
            }
        }
    }

    private func judge(_ completion: Completion, of rank: Rank) throws {
        if completion.kind == .remoteWrite { return try judgeRemoteWrite(completion, of: rank) }
        guard completion.context < UInt(rank.operations.count) else { throw failure("a completion of no operation") }
        let context = Int(completion.context)
        switch (rank.operations[context], completion.kind) {
        case (.send(let number, let memory), .send):
            rank.operations[context] = .over
            try judgeSend(completion, number, memory, of: rank)
        case (.access(let access, let memory), .read), (.access(let access, let memory), .write):
            rank.operations[context] = .over
            try judgeAccess(completion, access, memory, of: rank)
        case (.atomic(let atomic, let memory), .fetch), (.atomic(let atomic, let memory), .update):
            rank.operations[context] = .over
            try judgeAtomic(completion, atomic, memory, of: rank)
        case (.take(let taker), .peek): try judgePeek(completion, taker, context, of: rank)
        case (.take(let taker), .receive): try judgeReceive(completion, taker, context, of: rank)
        default: throw failure("a completion that its operation cannot have, or a second one")
        }
    }

    // Sends.

    private func judgeSend(_ completion: Completion, _ number: Int, _ memory: GuardedMemory, of rank: Rank) throws {
        let message = plan.messages[number]
        if message.options.contains(.completes) { rank.openSends -= 1 }
        guard !states[number].isSendComplete else { throw failure("send \(number) completes twice") }
        states[number].isSendComplete = true
        guard rank.peers[message.to] == completion.peer, completion.space == message.space, completion.byteCount == message.byteCount else {
            throw failure("send \(number) is told wrong")
        }
        if let error = completion.error {
            guard error == .peerFailed, ranks[message.to].isDead else { throw failure("send \(number) failed: \(error)") }
            return
        }
        guard message.options.contains(.completes) else { throw failure("send \(number) completes and was not to") }
        // The memory is the application's again.
        memory.scribble(0x5a)
        guard message.options.contains(.delivery), !ranks[message.to].isDead else { return }
        try takeCompletions(of: ranks[message.to])
        guard states[number].taker != nil || states[number].isDiscarded else {
            throw failure("send \(number) says delivered, and its receiver has nothing")
        }
    }

    // Receives.

    /// The message that a completion speaks of, if that can be.
    private func message(_ completion: Completion, _ taker: Taker, of rank: Rank) throws -> Int {
        let number = plan.messageNumber(tag: completion.tag, data: completion.data, space: taker.filter.space)
        guard completion.space == taker.filter.space, number < plan.messages.count else { throw failure("a message that nobody sent") }
        let message = plan.messages[number]
        guard message.to == rank.index, self.rank(completion.peer, of: rank) == message.from, message.space == completion.space,
            message.tag == completion.tag, message.options.contains(.carriesData) == completion.carriesData,
            !completion.carriesData || completion.data == message.data
        else { throw failure("message \(number) is told wrong") }
        guard states[number].sentOrder != nil else { throw failure("message \(number) came before it was sent") }
        guard taker.filter.matches(message) else { throw failure("message \(number) does not match its receive") }
        return number
    }

    private func take(_ number: Int, by taker: Taker) throws {
        guard states[number].taker == nil else { throw failure("message \(number) arrives twice") }
        states[number].taker = taker
        states[number].takenAt = observations
    }

    private func judgePeek(_ completion: Completion, _ taker: Taker, _ context: Int, of rank: Rank) throws {
        guard taker.end == .open, taker.got.isEmpty, taker.memory == nil else { throw failure("a peek completes twice") }
        if completion.error == .noMessage {
            rank.operations[context] = .over
            return try close(taker, .failed)
        }
        guard completion.error == nil else { throw failure("a peek fails") }
        let number = try message(completion, taker, of: rank)
        guard completion.byteCount == plan.messages[number].byteCount else { throw failure("a peek tells the wrong length") }
        taker.got = [(number, 0)]
        if taker.kind == .look {
            guard states[number].taker == nil else { throw failure("a peek sees message \(number), which was taken") }
        } else {
            try take(number, by: taker)
            states[number].isDiscarded = taker.kind == .discard
        }
        if taker.kind != .claim {
            rank.operations[context] = .over
            try close(taker, .done)
        }
    }

    private func judgeReceive(_ completion: Completion, _ taker: Taker, _ context: Int, of rank: Rank) throws {
        guard taker.end == .open, let memory = taker.memory else { throw failure("a receive completes twice") }
        switch completion.error {
        case nil, .truncated: break
        case .canceled:
            guard taker.isCancelRequested else { throw failure("a receive is canceled that nobody canceled") }
            rank.operations[context] = .over
            guard taker.kind == .receiveMany || memory.isUntouched() else { throw failure("a canceled receive was written to") }
            return try close(taker, .canceled)
        case .peerFailed:
            guard deathHappened else { throw failure("a receive fails, and its peer lives") }
            if taker.kind == .receive {
                for got in taker.got { states[got.message].taker = nil }
                taker.got = []
                rank.operations[context] = .over
                try close(taker, .failed)
            } else if completion.releasesBuffer {
                rank.operations[context] = .over
                try close(taker, .failed)
            }
            return
        default: throw failure("a receive fails")
        }
        let number = try message(completion, taker, of: rank)
        let claimed = taker.got.first?.message == number && taker.kind == .receive
        if !claimed { try take(number, by: taker) }
        try judgeBytes(completion, number, taker, memory)
        let isLast = taker.kind == .receive || completion.releasesBuffer
        guard taker.kind == .receiveMany || !completion.releasesBuffer else { throw failure("a single receive releases a buffer") }
        if isLast {
            rank.operations[context] = .over
            try close(taker, taker.kind == .receiveMany && taker.isCancelRequested ? .canceled : .done)
        }
    }

    private func judgeBytes(_ completion: Completion, _ number: Int, _ taker: Taker, _ memory: GuardedMemory) throws {
        let byteCount = plan.messages[number].byteCount
        let pattern = Pattern(UInt64(number))
        var offset = 0
        var room = memory.byteCount
        if taker.kind == .receiveMany {
            offset = Int(completion.address) - Int(memory.address)
            if completion.byteCount == 0 { offset = 0 }
            guard offset >= 0, offset + completion.byteCount <= memory.byteCount else { throw failure("a message outside of its buffer") }
            room = memory.byteCount - offset
            if completion.byteCount < byteCount { room = min(room, completion.byteCount) }
        }
        let count = min(byteCount, room)
        guard completion.byteCount == count, completion.truncatedByteCount == byteCount - count,
            (completion.error == .truncated) == (byteCount > count)
        else { throw failure("message \(number) of \(byteCount) bytes is told wrong, with room for \(room)") }
        guard memory.holds(pattern, at: offset, count: count) else { throw failure("message \(number) has wrong bytes") }
        if taker.kind == .receive {
            guard memory.isUntouched(except: 0..<count) else { throw failure("bytes outside of message \(number) were written") }
            taker.got = [(number, 0)]
        } else {
            // One of no bytes has no place.
            taker.got.append((number, count == 0 ? -1 : offset))
        }
    }

    private func close(_ taker: Taker, _ end: Taker.End) throws {
        guard taker.end == .open else { throw failure("a receive ends twice") }
        taker.end = end
        guard let memory = taker.memory, end == .done || end == .canceled else { return }
        if taker.kind == .receiveMany { try judgeBuffer(taker, memory) }
        // Whatever is written from now on shows at the end.
        memory.scribble()
    }

    /// Messages of one buffer lie one after the other.
    private func judgeBuffer(_ taker: Taker, _ memory: GuardedMemory) throws {
        taker.got.sort { $0.offset < $1.offset }
        var end = 0
        for got in taker.got where got.offset >= 0 {
            guard got.offset >= end else { throw failure("two messages share bytes of a buffer") }
            let count = min(plan.messages[got.message].byteCount, memory.byteCount - got.offset)
            guard memory.holds(Pattern(UInt64(got.message)), at: got.offset, count: count) else {
                throw failure("message \(got.message) was overwritten in its buffer")
            }
            end = got.offset + count
        }
        guard memory.isUntouched(except: 0..<memory.byteCount) else { throw failure("bytes outside of a buffer were written") }
    }

    // Remote memory.

    private func judgeAccess(_ completion: Completion, _ access: Plan.RemoteAccess, _ memory: GuardedMemory, of rank: Rank) throws {
        if access.options.contains(.completes) || access.fault != .none { rank.openAccesses -= 1 }
        guard completion.kind == (access.direction == .read ? .read : .write), rank.peers[access.to] == completion.peer else {
            throw failure("an access is told wrong")
        }
        if completion.error == .peerFailed, ranks[access.to].isDead { return }
        if access.fault != .none {
            guard completion.error == .remoteAccess else { throw failure("an access that is to be refused is not") }
            guard access.direction == .write || memory.isUntouched() else { throw failure("a refused read wrote") }
            return
        }
        guard completion.error == nil, completion.byteCount == access.byteCount else { throw failure("an access fails") }
        guard access.options.contains(.completes) else { throw failure("an access completes and was not to") }
        try judgeAccessBytes(access, memory)
        memory.scribble(0x5a)
    }

    func judgeAccessBytes(_ access: Plan.RemoteAccess, _ memory: GuardedMemory) throws {
        let owner = ranks[access.to]
        if access.direction == .read {
            guard memory.holds(owner.readPattern, from: Int(access.offset), count: access.byteCount),
                memory.isUntouched(except: 0..<access.byteCount)
            else { throw failure("a read brings wrong bytes") }
        } else {
            guard owner.writable.holds(Pattern(access.data), at: Int(access.offset), count: access.byteCount) else {
                throw failure("a write is complete and its bytes are not there")
            }
        }
    }

    private func judgeRemoteWrite(_ completion: Completion, of rank: Rank) throws {
        guard completion.carriesData, completion.error == nil, let access = rank.expectedWrites.removeValue(forKey: completion.data),
            completion.byteCount == access.byteCount
        else { throw failure("a write is told of that nobody made, or a second time") }
        guard rank.writable.holds(Pattern(access.data), at: Int(access.offset), count: access.byteCount) else {
            throw failure("a write is told of and its bytes are not there")
        }
    }
}
