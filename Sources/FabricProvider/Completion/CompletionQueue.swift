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
    /// What threads sleep on: with FI_WAIT_FD the application's, else those in fi_cq_sread, from the first on.
    var waiter: Waiter?

    /// Whether the NIC is to interrupt for those who wait (FI_WAIT_UNSPEC leaves the way to the provider).
    var wantsInterrupts: Bool { waitObject == FI_WAIT_UNSPEC || waitObject == FI_WAIT_FD }

    @inline(__always) mutating func append(_ record: CompletionRecord) {
        _ = ring.append(record)
        waiter?.notify()
    }

    /// See ``Waiter/arm(_:now:insists:)``.
    mutating func arm(insists: Bool) -> Bool {
        waiter?.arm(endpoints, now: MonotonicClock.nanoseconds(), insists: insists) ?? true
    }

    mutating func disarm() { waiter?.disarm(endpoints) }

    mutating func add(_ endpoint: FabricObject<OpenEndpoint>) {
        disarm()
        endpoints.add(endpoint)
    }

    mutating func remove(_ endpoint: FabricObject<OpenEndpoint>) {
        endpoints.remove(endpoint)
        waiter?.forget(endpoint)
    }
}

/// Reading. These are functions of the object, not of its state: endpoints append to the queue while it is read, so that no
/// access to the state spans a call of theirs.
extension FabricObject where State == CompletionQueue {
    private static var awakeNanoseconds: UInt64 { 100_000 }

    /// Drives every endpoint whose completions come here. Returns whether frames came in.
    @discardableResult @inline(__always) func progress() -> Bool {
        let now = MonotonicClock.nanoseconds()
        if let thread = state.domain.state.thread { thread.drivenAt = now }
        var received = false
        var index = 0
        while index < state.endpoints.count {
            if state.endpoints[index].progress(now: now) { received = true }
            index &+= 1
        }
        return received
    }

    /// fi_cq_read, fi_cq_readfrom: up to so many entries, none behind a failed one.
    /// - Returns: how many, or a negative error.
    @inline(__always) func read(into buffer: CompletionBuffer) -> Int {
        var wantsYield = false
        let result = state.lock.around { () -> Int in
            if state.waiter?.isArmed == true { state.disarm() }
            if state.ring.count == 0 { progress() }
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

    /// fi_cq_sread, fi_cq_sreadfrom: looks for a while, then sleeps.
    /// - Parameter timeoutMilliseconds: negative: as long as it takes.
    func waitAndRead(into buffer: CompletionBuffer, timeoutMilliseconds: Int32) -> Int {
        let deadline = timeoutMilliseconds < 0 ? nil : Deadline(afterMilliseconds: UInt64(timeoutMilliseconds))
        let sleepsFrom = MonotonicClock.nanoseconds() &+ Self.awakeNanoseconds
        while true {
            let result = read(into: buffer)
            if result != Int(FabricError.tryAgain) { return result }
            let wasSignalled = state.lock.around {
                defer { state.isSignalled = false }
                return state.isSignalled
            }
            if wasSignalled || deadline?.hasPassed == true { return result }
            if MonotonicClock.nanoseconds() >= sleepsFrom { sleep(atMostMilliseconds: deadline?.remainingMilliseconds ?? .max) }
        }
    }
}
