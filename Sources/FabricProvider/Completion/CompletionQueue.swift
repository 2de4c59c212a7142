import CLibfabric
import LinuxIO

/// A completion queue (fi_cq(3)).
@safe struct CompletionQueue: FabricState, ~Copyable {
    static let objectClass = Int(FI_CLASS_CQ)
    var view: fid_cq
    let domain: FabricObject<OpenDomain>
    let lock: DomainLock?
    /// Of the entries that the application reads.
    let entryByteCount: Int
    let waitObject: fi_wait_obj
    var ring: CompletionRing
    var endpoints = ProgressList()
    /// Endpoints that are bound: it cannot be closed before them.
    var bindings = 0
    var idle = IdlePolicy()
    /// fi_cq_signal ends one wait.
    var isSignalled = false
    /// With FI_WAIT_FD: what the application sleeps on.
    var waitDescriptor: WaitDescriptor?
}

/// Reading. These are functions of the object, not of its state: endpoints append to the queue while it is read, so that no
/// access to the state spans a call of theirs.
extension FabricObject where State == CompletionQueue {
    /// Drives every endpoint whose completions come here.
    @inline(__always) func progress() {
        let now = MonotonicClock.nanoseconds()
        var index = 0
        while index < state.endpoints.count {
            state.endpoints[index].progress(now: now)
            index &+= 1
        }
    }

    /// fi_cq_read, fi_cq_readfrom: up to so many entries, none behind a failed one.
    /// - Returns: how many, or a negative error.
    @inline(__always) func read(into buffer: CompletionBuffer) -> Int {
        var wantsYield = false
        let result = state.lock.around { () -> Int in
            if state.ring.count == 0 { progress() }
            state.waitDescriptor?.disarm()
            let result = take(into: buffer)
            if result == Int(FabricError.tryAgain) { wantsYield = state.idle.foundNothing() } else { state.idle.foundSomething() }
            return result
        }
        if wantsYield { giveUpCPU() }
        return result
    }

    @inline(__always) private func take(into buffer: CompletionBuffer) -> Int {
        guard state.ring.count > 0 else { return Int(FabricError.tryAgain) }
        var taken = 0
        while taken < buffer.count, state.ring.count > 0 {
            let record = state.ring.oldest
            if record.error != 0 { break }
            buffer.store(record, at: taken, entryByteCount: state.entryByteCount)
            state.ring.removeOldest()
            taken &+= 1
        }
        return taken > 0 || buffer.count == 0 ? taken : Int(FabricError.errorAvailable)
    }

    private func giveUpCPU() {
        let start = MonotonicClock.nanoseconds()
        Processor.yield()
        let time = MonotonicClock.nanoseconds() &- start
        state.lock.around { state.idle.yielded(forNanoseconds: time) }
    }

    /// fi_cq_readerr: the oldest entry, if it is of a failed operation.
    func takeError() -> CompletionRecord? {
        state.lock.around {
            if state.ring.count == 0 { progress() }
            guard state.ring.count > 0, state.ring.oldest.error != 0 else { return nil }
            let record = state.ring.oldest
            state.ring.removeOldest()
            return record
        }
    }

    /// fi_cq_sread, fi_cq_sreadfrom: looks for a while, then sleeps between looks, longer and longer.
    /// - Parameter timeoutMilliseconds: negative: as long as it takes.
    func waitAndRead(into buffer: CompletionBuffer, timeoutMilliseconds: Int32) -> Int {
        let deadline = timeoutMilliseconds < 0 ? nil : Deadline(afterMilliseconds: UInt64(timeoutMilliseconds))
        var pause = SleepingPause()
        while true {
            let result = read(into: buffer)
            if result != Int(FabricError.tryAgain) { return result }
            let wasSignalled = state.lock.around {
                defer { state.isSignalled = false }
                return state.isSignalled
            }
            if wasSignalled || deadline?.hasPassed == true { return result }
            pause.take()
        }
    }

    /// fi_trywait: false if there is something to read; else the wait descriptor is armed.
    func mayWait() -> Bool {
        state.lock.around {
            if state.ring.count == 0 { progress() }
            guard state.ring.count == 0, !state.isSignalled else { return false }
            state.waitDescriptor?.arm()
            return true
        }
    }
}
