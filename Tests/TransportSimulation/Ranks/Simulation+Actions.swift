import MPIBridge

/// The application of a rank: it carries out its script, then takes what is left.
extension Simulation {
    func act(_ rank: Rank) throws {
        while now >= rank.nextActionAt, now >= rank.computesUntil {
            if rank.isScriptDone {
                if !rank.isDraining { beginDrain(rank) }
                guard try drain(rank) else { return }
                continue
            }
            if try carryOut(rank.script[rank.nextAction], by: rank) {
                rank.nextAction += 1
                rank.tries = 0
                observations += 1
                rank.nextActionAt = now + random.time(plan.gap)
            } else {
                rank.tries += 1
                rank.nextActionAt = now + 2_000 * UInt64(min(rank.tries * rank.tries, 10_000))
                if rank.tries > 20 { try doOtherThings(rank) }
            }
            try takeCompletions(of: rank)
        }
    }

    /// What an application does that has no room for its next call: others come first, and what is there is received.
    private func doOtherThings(_ rank: Rank) throws {
        guard case .send = rank.script[rank.nextAction] else {
            // No room for a receive, and none comes: the application does without.
            rank.nextAction += 1
            rank.tries = 0
            return
        }
        let other = rank.script.indices.first {
            guard $0 > rank.nextAction else { return false }
            if case .send = rank.script[$0] { return false } else { return true }
        }
        if let other {
            rank.script.swapAt(rank.nextAction, other)
            rank.tries = 0
        } else {
            if !rank.isDraining { beginDrain(rank) }
            while try drain(rank) {}
        }
    }

    /// False: no room now.
    private func carryOut(_ action: Plan.Action, by rank: Rank) throws -> Bool {
        switch action {
        case .send(let number): return try send(number, by: rank)
        case .receive(let filter, let byteCount, let cuts):
            return try receive(filter, GuardedMemory(byteCount: byteCount, cuts: cuts), .receive, by: rank)
        case .receiveMany(let filter, let byteCount):
            return try receive(filter, GuardedMemory(byteCount: byteCount), .receiveMany, by: rank)
        case .look(let filter): return peek(filter, .look, by: rank)
        case .claim(let filter): return peek(filter, .claim, by: rank)
        case .discard(let filter): return peek(filter, .discard, by: rank)
        case .settleClaim(let discards): return try settleClaim(discards: discards, by: rank)
        case .cancel:
            let open = rank.operations.indices.filter {
                if case .take(let taker) = rank.operations[$0] { taker.end == .open } else { false }
            }
            if !open.isEmpty { cancel(UInt(random.one(of: open)), by: rank) }
            return true
        case .compute(let time):
            rank.computesUntil = now + time
            return true
        case .access(let access): return try self.access(access, by: rank)
        case .atomic(let atomic): return try change(atomic, by: rank)
        }
    }

    private func send(_ number: Int, by rank: Rank) throws -> Bool {
        let message = plan.messages[number]
        let (memory, context) = prepare(number, by: rank)
        let request = SendRequest(
            to: peer(message.to, of: rank), space: message.space, tag: message.tag, data: message.data, memory: memory.application,
            context: context, options: message.options)
        let posting = rank.endpoint.send(request, now: now)
        if posting == .tryAgain { return false }
        rank.prepared[number] = nil
        guard posting == .accepted else {
            rank.operations[Int(context)] = .over
            guard posting == .refused(.peerFailed), isExcused(number) else { throw failure("send \(number): \(posting)") }
            return true
        }
        states[number].sentOrder = sentCount
        sentCount += 1
        if message.options.contains(.inject) { memory.scribble(0x5a) }
        if message.options.contains(.completes) {
            rank.openSends += 1
        } else {
            rank.lent.append((memory, number))
        }
        return true
    }

    private func prepare(_ number: Int, by rank: Rank) -> (memory: GuardedMemory, context: UInt) {
        if let prepared = rank.prepared[number] { return prepared }
        let memory = GuardedMemory(byteCount: plan.messages[number].byteCount, cuts: plan.messages[number].cuts)
        memory.fill(Pattern(UInt64(number)))
        let context = rank.context(for: .send(message: number, memory: memory))
        rank.prepared[number] = (memory, context)
        return (memory, context)
    }

    private func receive(_ filter: Plan.Filter, _ memory: GuardedMemory, _ kind: Taker.Kind, by rank: Rank) throws -> Bool {
        let taker = Taker(kind, filter, memory: memory, order: rank.order)
        let context = rank.context(for: .take(taker))
        let posting = rank.endpoint.receive(request(filter, memory, context, kind == .receiveMany, by: rank), now: now)
        guard posting == .accepted else {
            rank.forget(context)
            if posting == .tryAgain { return false }
            throw failure("receive: \(posting)")
        }
        rank.order += 1
        rank.takers.append(taker)
        return true
    }

    private func request(_ filter: Plan.Filter, _ memory: GuardedMemory?, _ context: UInt, _ isMany: Bool, by rank: Rank) -> ReceiveRequest
    {
        ReceiveRequest(
            from: filter.source.map { peer($0, of: rank) } ?? .any, space: filter.space, tag: filter.tag, ignore: filter.ignore,
            memory: memory?.application ?? .none, context: context, options: isMany ? [.completes, .multiReceive] : .completes)
    }

    private func peek(_ filter: Plan.Filter, _ kind: Taker.Kind, by rank: Rank) -> Bool {
        let taker = Taker(kind, filter, memory: nil, order: rank.order)
        let context = rank.context(for: .take(taker))
        let request = request(filter, nil, context, false, by: rank)
        let mode: MessageEndpoint.PeekMode = kind == .look ? .look : kind == .claim ? .claim : .discard
        guard rank.endpoint.peek(request, mode: mode, now: now) else {
            rank.forget(context)
            return false
        }
        rank.order += 1
        rank.takers.append(taker)
        return true
    }

    private func settleClaim(discards: Bool, by rank: Rank) throws -> Bool {
        let open = rank.operations.indices.first {
            if case .take(let taker) = rank.operations[$0] {
                taker.kind == .claim && taker.end == .open && !taker.got.isEmpty
            } else {
                false
            }
        }
        guard let open, case .take(let claim) = rank.operations[open] else { return true }
        let message = plan.messages[claim.got[0].message]
        if discards {
            guard rank.endpoint.discardClaimed(context: UInt(open), space: message.space, now: now) else {
                if ranks[message.from].isDead { claim.end = .failed; return true }
                throw failure("a claimed message cannot be thrown away")
            }
            claim.end = .done
            claim.isSettled = true
            rank.operations[open] = .over
            return true
        }
        let memory = GuardedMemory(byteCount: message.byteCount)
        let taker = Taker(.receive, claim.filter, memory: memory, order: claim.order)
        let posting = rank.endpoint.receiveClaimed(request(claim.filter, memory, UInt(open), false, by: rank), now: now)
        if posting == .tryAgain { return false }
        guard posting == .accepted else {
            if ranks[message.from].isDead { claim.end = .failed; return true }
            throw failure("a claimed message cannot be received: \(posting)")
        }
        claim.end = .done
        claim.isSettled = true
        taker.got = claim.got
        claim.got = []
        states[taker.got[0].message].taker = taker
        rank.takers.append(taker)
        rank.operations[open] = .take(taker)
        return true
    }

    func cancel(_ context: UInt, by rank: Rank) {
        guard case .take(let taker) = rank.operations[Int(context)], taker.kind == .receive || taker.kind == .receiveMany else { return }
        guard rank.endpoint.cancelReceive(context: context) else { return }
        taker.isCancelRequested = true
        taker.canceledAt = observations
    }

    private func access(_ access: Plan.RemoteAccess, by rank: Rank) throws -> Bool {
        let memory = GuardedMemory(byteCount: access.byteCount, cuts: access.cuts)
        if access.direction == .write { memory.fill(Pattern(access.data)) }
        let context = rank.context(for: .access(access, memory: memory))
        let key: UInt64
        switch access.fault {
        case .unknownKey: key = 0x9999
        case .forbidden: key = access.direction == .write ? Plan.readKey : Plan.writeKey
        case .none, .outside: key = access.direction == .write ? Plan.writeKey : Plan.readKey
        }
        let posting = rank.endpoint.access(
            RemoteMemoryRequest(
                access.direction, peer: peer(access.to, of: rank), memory: memory.application, remoteOffset: access.offset,
                remoteKey: key, data: access.data, context: context, options: access.options), now: now)
        guard posting == .accepted else {
            rank.forget(context)
            if posting == .tryAgain { return false }
            guard posting == .refused(.peerFailed), ranks[access.to].isDead else { throw failure("access: \(posting)") }
            return true
        }
        if access.options.contains(.completes) || access.fault != .none {
            rank.openAccesses += 1
        } else {
            rank.silentAccesses.append((access, memory))
        }
        if access.direction == .write, access.fault == .none, access.options.contains(.carriesData) {
            ranks[access.to].expectedWrites[access.data] = access
        }
        return true
    }

    // The end.

    /// As many receives for anything as messages may be left.
    private func beginDrain(_ rank: Rank) {
        rank.isDraining = true
        for (number, message) in plan.messages.enumerated() where message.to == rank.index && states[number].taker == nil {
            let longest = message.byteCount > 8_000 || random.percent(50) ? 200_000 : 8_000
            rank.drainReceives.append((message.space, min(longest, 200_000)))
        }
    }

    /// Posts one more. False: nothing to do now.
    private func drain(_ rank: Rank) throws -> Bool {
        if try hasOpenClaim(rank) { return true }
        // Enough is enough: no more room is needed, and what a dead rank would have sent nobody waits for.
        if !states.indices.contains(where: { isMissing($0, at: rank) }) { rank.drainReceives = [] }
        guard let next = rank.drainReceives.last else { return false }
        let filter = Plan.Filter(space: next.space, source: nil, tag: 0, ignore: .max)
        if try receive(filter, GuardedMemory(byteCount: next.byteCount), .receive, by: rank) {
            rank.drainReceives.removeLast()
            rank.drainTries = 0
            return true
        }
        rank.drainTries += 1
        rank.nextActionAt = max(rank.nextActionAt, now + 5_000 * UInt64(min(rank.drainTries * rank.drainTries, 10_000)))
        if rank.drainTries > 30 { makeRoom(rank) }
        return false
    }

    private func isMissing(_ number: Int, at rank: Rank) -> Bool {
        plan.messages[number].to == rank.index && states[number].taker == nil && !isExcused(number)
    }

    private func hasOpenClaim(_ rank: Rank) throws -> Bool {
        guard rank.takers.contains(where: { $0.kind == .claim }) else { return false }
        let isOpen = rank.operations.contains {
            if case .take(let taker) = $0 { taker.kind == .claim && taker.end == .open && !taker.got.isEmpty } else { false }
        }
        return isOpen ? try settleClaim(discards: false, by: rank) : false
    }

    /// Gives up a receive, so that another one can be posted.
    private func makeRoom(_ rank: Rank) {
        let open = rank.operations.indices.filter {
            if case .take(let taker) = rank.operations[$0] { taker.end == .open && !taker.isCancelRequested } else { false }
        }
        guard !open.isEmpty else { return }
        let context = random.one(of: open)
        cancel(UInt(context), by: rank)
        guard case .take(let taker) = rank.operations[context], taker.isCancelRequested, let memory = taker.memory, rank.isDraining else {
            return
        }
        // One that may be needed after all comes again, behind the others.
        rank.drainReceives.insert((taker.filter.space, memory.byteCount), at: 0)
    }

    func cancelAll(_ rank: Rank) throws {
        for context in rank.operations.indices { cancel(UInt(context), by: rank) }
        try takeCompletions(of: rank)
        rank.wakeAt = now
    }
}
