import LinuxIO
import MPIBridge

/// Progress while the program makes no calls: peers' reads and writes, acknowledgements, completion events. Started when one of
/// these can be needed; it looks only when the program has not looked lately, and seldom while nothing comes.
enum HelperThread {
    /// Nanoseconds since the program's last look.
    private static let patience: UInt64 = 50_000
    /// Nanoseconds without a frame after which it looks less often.
    private static let quietTime: UInt64 = 100_000_000

    /// Nanoseconds between two looks at whether silent peers live.
    private static let lookInterval: UInt64 = 100_000_000

    /// The caller holds the adapter's lock.
    static func start(for adapter: VerbsObject<Adapter>) {
        guard adapter.state.helper == nil else { return }
        do { adapter.state.helper = try WorkerThread { run(adapter) } } catch { Complaint.once("\(error)") }
    }

    private static func run(_ adapter: VerbsObject<Adapter>) {
        WorkerThread<Void>.blockSignals()
        while true {
            var isQuiet = false
            // Whoever has the lock makes progress.
            if adapter.state.lock.tryLock() {
                defer { adapter.state.lock.unlock() }
                if adapter.state.helperShallEnd { return }
                isQuiet = look(adapter)
            }
            sleepMicroseconds(isQuiet ? 1000 : 50)
        }
    }

    /// Whether nothing came lately, and nothing is owed.
    private static func look(_ adapter: VerbsObject<Adapter>) -> Bool {
        let now = MonotonicClock.nanoseconds()
        if now &- adapter.state.lastProgress >= patience { adapter.progress(now: now) }
        if now &- adapter.state.peersLookedAt >= lookInterval { adapter.lookAround(now: now) }
        return now &- adapter.state.lastFrame > quietTime && adapter.state.transport.isQuiet
    }
}

extension VerbsObject where State == Adapter {
    /// What needs a look now and then. The caller holds the lock.
    fileprivate func lookAround(now: UInt64) {
        state.peersLookedAt = now
        dropStrayMessages(now: now)
        endDeadPeers(now: now)
    }

    /// Peers that owe something, are silent and have no process any more have failed.
    private func endDeadPeers(now: UInt64) {
        guard state.liveness != nil else { return }
        var dead: [PeerID] = []
        state.transport.silentPeers(since: now &- 100_000_000) { peer, address in
            if state.liveness?.isAlive(key: address.key) == false { dead.append(peer) }
        }
        for peer in dead { state.transport.declareDead(peer) }
        if !dead.isEmpty { progress(now: now) }
    }
}
