import MPIBridge

/// What has to be left of a rank when all is over: nothing.
extension Simulation {
    func checkRemains(of rank: Rank) throws {
        for (context, operation) in rank.operations.enumerated() {
            switch operation {
            case .over: break
            case .send(let number, let memory):
                guard !plan.messages[number].options.contains(.completes) else {
                    throw failure(
                        "send \(number) never completes: \(states[number].sentOrder.map(String.init) ?? "not sent"), \(plan.messages[number])"
                    )
                }
                _ = memory
            case .access(let access, let memory):
                guard !access.options.contains(.completes), access.fault == .none else {
                    throw failure("access \(context) never completes")
                }
                if !ranks[access.to].isDead { try judgeAccessBytes(access, memory) }
            case .atomic: throw failure("atomic access \(context) never completes")
            case .take(let taker):
                guard taker.kind == .claim, deathHappened else {
                    throw failure(
                        "receive \(taker.order) of rank \(rank.index) never ends: \(taker.kind), \(taker.end), \(taker.isCancelRequested), \(taker.got), death: \(deathHappened)"
                    )
                }
            }
        }
        for taker in rank.takers {
            guard let memory = taker.memory, taker.end == .done || taker.end == .canceled else { continue }
            guard memory.isUntouched() else { throw failure("receive \(taker.order) was written to after its end") }
        }
        if !deathHappened {
            guard rank.expectedWrites.isEmpty else { throw failure("rank \(rank.index) was not told of a write") }
            guard rank.endpoint.counters.failedPeers == 0 else { throw failure("rank \(rank.index) gave a peer up") }
            try checkRegions(of: rank)
        }
        let most = plan.options.unexpectedByteLimit + (plan.rankCount - 1) * Int(plan.options.byteCredit)
        guard rank.endpoint.counters.unexpectedBytesPeak <= UInt64(most) else { throw failure("rank \(rank.index) kept too much") }
        if plan.faults.corruption == 0, rank.endpoint.counters.malformedFrames > 0 {
            throw failure("rank \(rank.index) found malformed frames on a wire that damages none")
        }
        let residue = residue(of: rank)
        guard residue.isEmpty else { throw failure("rank \(rank.index) is left with \(rank.endpoint.residue)") }
    }

    /// What an endpoint holds. Of a dead rank's messages some may lie there, unasked for.
    func residue(of rank: Rank) -> Residue {
        var residue = rank.endpoint.residue
        if deathHappened {
            residue.unexpected = 0
            residue.unexpectedBytes = 0
            residue.heldFrames = 0
        }
        return residue
    }

    /// Nothing was written but what was asked for.
    private func checkRegions(of rank: Rank) throws {
        guard rank.hasRegions else { return }
        try checkAtomics(of: rank)
        guard rank.readable.holds(rank.readPattern, count: Plan.regionByteCount),
            rank.readable.isUntouched(except: 0..<Plan.regionByteCount)
        else { throw failure("rank \(rank.index)'s memory for reading was written to") }
        var end = 0
        for script in plan.scripts {
            for case .access(let access) in script where access.to == rank.index && access.direction == .write && access.fault == .none {
                end = max(end, Int(access.offset) + access.byteCount)
            }
        }
        guard rank.writable.isUntouched(except: 0..<end) else {
            throw failure("rank \(rank.index)'s memory was written to outside of writes")
        }
    }
}
