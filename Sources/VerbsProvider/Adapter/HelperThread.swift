import LinuxIO

/// Progress while the program makes no calls: peers' reads and writes, acknowledgements, completion events. Started when one of
/// these can be needed; it looks only when the program has not looked lately, and seldom while nothing comes.
enum HelperThread {
    /// Nanoseconds since the program's last look.
    private static let patience: UInt64 = 50_000
    /// Nanoseconds without a frame after which it looks less often.
    private static let quietTime: UInt64 = 100_000_000

    /// The caller holds the adapter's lock.
    static func start(for adapter: VerbsObject<Adapter>) {
        guard adapter.state.helper == nil else { return }
        do { adapter.state.helper = try WorkerThread { run(adapter) } } catch { Complaint.once("\(error)") }
    }

    private static func run(_ adapter: VerbsObject<Adapter>) {
        while true {
            let isQuiet: Bool? = adapter.locked {
                if adapter.state.helperShallEnd { return nil }
                let now = MonotonicClock.nanoseconds()
                if now &- adapter.state.lastProgress >= patience { adapter.progress(now: now) }
                return now &- adapter.state.lastFrame > quietTime && adapter.state.transport.isQuiet
            }
            guard let isQuiet else { return }
            sleepMicroseconds(isQuiet ? 1000 : 50)
        }
    }
}
