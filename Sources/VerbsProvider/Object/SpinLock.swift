import LinuxIO
import Synchronization

/// Keeps threads apart for the time of one call. Verbs objects may be used by several threads at once, also in post_send,
/// post_recv and poll_cq; without a second thread it costs one exchange of a word that stays in the cache.
struct SpinLock: ~Copyable {
    private let word = Atomic<UInt32>(0)
    /// Whoever holds it may have lost the processor: then waiting takes it from them.
    private static let spins = 64

    @inline(__always) func lock() {
        if word.exchange(1, ordering: .acquiring) != 0 { wait() }
    }

    /// False: somebody has it.
    func tryLock() -> Bool { word.exchange(1, ordering: .acquiring) == 0 }

    @inline(__always) func unlock() { word.store(0, ordering: .releasing) }

    private func wait() {
        while true {
            for _ in 0..<Self.spins {
                if word.load(ordering: .relaxed) == 0, word.exchange(1, ordering: .acquiring) == 0 { return }
                Processor.spinHint()
            }
            Processor.yield()
        }
    }
}
