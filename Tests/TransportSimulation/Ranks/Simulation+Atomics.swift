import MPIBridge

/// Atomic accesses: each bit is set once, and whoever sets it sees all that was set before.
extension Simulation {
    func change(_ atomic: Plan.Atomic, by rank: Rank) throws -> Bool {
        guard let access = AtomicAccess(.sum, .uint64, returnsOld: atomic.returnsOld) else { throw failure("no such access") }
        let operand = GuardedMemory(byteCount: 8), result = GuardedMemory(byteCount: atomic.returnsOld ? 8 : 0)
        operand.word = atomic.bit
        let context = rank.context(for: .atomic(atomic, memory: result))
        // What is not to be written, and what is not to be read.
        let key = atomic.fault == .unknownKey ? 0x9999 : atomic.fault == .forbidden ? Plan.readKey : Plan.atomicKey
        let offset = atomic.fault == .outside ? Plan.atomicOffset + 1 : Plan.atomicOffset
        let posting = rank.endpoint.access(
            AtomicRequest(
                access, peer: peer(atomic.to, of: rank), count: 1, operands: operand.application, result: result.application,
                remoteOffset: offset, remoteKey: key, context: context), now: now)
        // The operand is the application's again.
        operand.scribble(0x5a)
        guard posting == .accepted else {
            rank.forget(context)
            if posting == .tryAgain { return false }
            guard posting == .refused(.peerFailed), ranks[atomic.to].isDead else { throw failure("atomic access: \(posting)") }
            return true
        }
        rank.openAccesses += 1
        if atomic.fault == .none { ranks[atomic.to].bitsToCome |= atomic.bit }
        return true
    }

    func judgeAtomic(_ completion: Completion, _ atomic: Plan.Atomic, _ memory: GuardedMemory, of rank: Rank) throws {
        rank.openAccesses -= 1
        guard rank.peers[atomic.to] == completion.peer, completion.kind == (atomic.returnsOld ? .fetch : .update) else {
            throw failure("an atomic access is told wrong")
        }
        if completion.error == .peerFailed, ranks[atomic.to].isDead { return }
        guard completion.error == (atomic.fault == .none ? nil : .remoteAccess) else { throw failure("an atomic access ends wrong") }
        guard memory.isUntouched(except: 0..<(atomic.fault == .none ? memory.byteCount : 0)) else {
            throw failure("an atomic access wrote where it may not")
        }
        let owner = ranks[atomic.to]
        guard atomic.fault == .none else { return }
        guard owner.counted.word & atomic.bit != 0 else { throw failure("an atomic access is complete and not there") }
        guard atomic.returnsOld else { return }
        guard memory.word & atomic.bit == 0 else { throw failure("an atomic access happened twice") }
        owner.fetched.append(memory.word)
    }

    /// What was fetched is a chain: each value has all bits of those before it. Nothing but what was asked for is there.
    func checkAtomics(of rank: Rank) throws {
        guard rank.counted.isUntouched(except: 8..<16), rank.counted.byteCount == 16 else {
            throw failure("an atomic access wrote elsewhere")
        }
        var before: UInt64 = 0
        for value in rank.fetched.sorted(by: { $0.nonzeroBitCount < $1.nonzeroBitCount }) {
            guard value & before == before else { throw failure("atomic accesses saw the word change back") }
            before = value
        }
        guard deathHappened || rank.counted.word == rank.bitsToCome else { throw failure("atomic accesses are missing") }
    }
}

extension GuardedMemory {
    /// Of eight bytes, or the second of sixteen.
    var word: UInt64 {
        // SAFETY: the object has as many bytes, in one piece, and lives.
        get { unsafe UnsafePointer<UInt64>(bitPattern: address + UInt(byteCount - 8))?.pointee ?? 0 }
        set { unsafe UnsafeMutablePointer<UInt64>(bitPattern: address + UInt(byteCount - 8))?.pointee = newValue }
    }
}
