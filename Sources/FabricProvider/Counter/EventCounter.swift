import CLibfabric
import LinuxIO
import MPIBridge

/// A counter of completions (fi_cntr(3)).
@safe struct EventCounter: FabricState, ~Copyable {
    static let objectClass = Int(FI_CLASS_CNTR)
    var view: fid_cntr
    let domain: FabricObject<OpenDomain>
    let lock: DomainLock?
    var value: UInt64 = 0
    var errors: UInt64 = 0
    var endpoints = ProgressList()
    /// Regions' writes are counted: whatever endpoint they come by is driven.
    var countsRegions = false
    var bindings = 0
    var idle = IdlePolicy()
}

/// Functions of the object: endpoints count while they are driven.
extension FabricObject where State == EventCounter {
    private func progress() {
        let now = MonotonicClock.nanoseconds()
        for index in 0..<state.endpoints.count { state.endpoints[index].progress(now: now) }
        if state.countsRegions { for endpoint in state.domain.state.endpoints { endpoint.progress(now: now) } }
    }

    func read() -> UInt64 {
        state.lock.around {
            progress()
            return state.value
        }
    }

    func readErrors() -> UInt64 {
        state.lock.around {
            progress()
            return state.errors
        }
    }

    /// fi_cntr_wait: until the value is reached (0), an error was counted, or the time is over.
    /// - Parameter timeoutMilliseconds: negative: as long as it takes.
    func wait(for threshold: UInt64, timeoutMilliseconds: Int32) -> Int32 {
        let deadline = timeoutMilliseconds < 0 ? nil : Deadline(afterMilliseconds: UInt64(timeoutMilliseconds))
        // Before the first look, which may bring one already.
        let errors = state.lock.around { state.errors }
        while true {
            if read() >= threshold { return 0 }
            if readErrors() != errors { return FabricError.errorAvailable }
            if deadline?.hasPassed == true { return FabricError.timedOut }
            if state.lock.around({ state.idle.foundNothing() }) {
                let start = MonotonicClock.nanoseconds()
                Processor.yield()
                let time = MonotonicClock.nanoseconds() &- start
                state.lock.around { state.idle.yielded(forNanoseconds: time) }
            }
        }
    }

    @inline(__always) func count(failed: Bool) {
        if failed { state.errors &+= 1 } else { state.value &+= 1 }
    }
}

/// The counters that an endpoint was bound to, by what they count (fi_endpoint(3), fi_ep_bind).
struct EndpointCounters {
    var send: FabricObject<EventCounter>?
    var receive: FabricObject<EventCounter>?
    var read: FabricObject<EventCounter>?
    var write: FabricObject<EventCounter>?
    var remoteRead: FabricObject<EventCounter>?
    var remoteWrite: FabricObject<EventCounter>?

    var countsTransmits: Bool { send != nil || read != nil || write != nil }
    var countsReceives: Bool { receive != nil }
    var countsAccesses: Bool { remoteRead != nil || remoteWrite != nil }

    var all: [FabricObject<EventCounter>] { [send, receive, read, write, remoteRead, remoteWrite].compactMap { $0 } }

    @inline(__always) func count(_ completion: Completion) {
        let failed = completion.error != nil
        switch completion.kind {
        case .send: send?.count(failed: failed)
        case .receive: receive?.count(failed: failed)
        case .read, .fetch: read?.count(failed: failed)
        case .write, .update: write?.count(failed: failed)
        case .remoteRead: remoteRead?.count(failed: failed)
        case .remoteWrite: remoteWrite?.count(failed: failed)
        case .peek: break
        }
    }
}
