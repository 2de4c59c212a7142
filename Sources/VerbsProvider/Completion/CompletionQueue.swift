import CVerbs

/// A completion queue (ibv_create_cq(3)).
@safe struct CompletionQueue: ~Copyable {
    enum Arming: UInt8 { case none, solicited, any }

    var view: ibv_cq
    let adapter: VerbsObject<Adapter>
    let number: UInt64
    let channel: VerbsObject<CompletionChannel>?
    var entries: CompletionEntries
    var arming = Arming.none
    /// Queue pairs that complete here.
    var users = 0
    /// Events that were taken and not acknowledged.
    var unacknowledgedEvents: UInt64 = 0

    static let entryLimit = 1 << 20
}

extension VerbsObject where State == CompletionQueue {
    /// - Parameter isSolicited: wakes whoever waits for solicited completions only; errors do, too.
    @inline(__always) func append(_ completion: WorkCompletion, isSolicited: Bool) {
        state.entries.append(completion)
        if state.arming != .none { wake(isSolicited: isSolicited || completion.status != .success) }
    }

    private func wake(isSolicited: Bool) {
        guard state.arming == .any || isSolicited else { return }
        state.arming = .none
        state.channel?.state.notify(state.number)
    }

    /// poll_cq (ibv_poll_cq(3)). Negative: the queue has overrun.
    @inline(__always) func poll(_ wanted: Int, now: () -> UInt64, _ store: (Int, WorkCompletion) -> Void) -> Int32 {
        if state.entries.isEmpty { state.adapter.progress(now: now()) }
        var count = 0
        while count < wanted, let completion = state.entries.removeFirst() {
            store(count, completion)
            count &+= 1
        }
        if count == 0, state.entries.hasOverrun { return -1 }
        return Int32(truncatingIfNeeded: count)
    }
}
