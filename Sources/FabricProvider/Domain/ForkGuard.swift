import Glibc
import Synchronization

/// Locks that a thread of the library's own takes at any moment: a child of fork(2) gets them free, whatever that thread did at the time
/// (pthread_atfork(3)). Without such threads nothing is here.
enum ForkGuard {
    private static let locks = Mutex<[DomainLock]>([])
    /// Those that the fork under way holds.
    nonisolated(unsafe) private static var held: [DomainLock] = []
    private static let isInstalled: Bool = {
        pthread_atfork(
            {
                let all = ForkGuard.locks.withLock { $0 }
                for lock in all { lock.lock() }
                // SAFETY: written between the locks, by the thread that forks.
                unsafe ForkGuard.held = all
            }, { ForkGuard.release() }, { ForkGuard.release() }) == 0
    }()

    private static func release() {
        // SAFETY: as above.
        let all = unsafe held
        unsafe held = []
        for lock in all { lock.unlock() }
    }

    static func add(_ lock: DomainLock) {
        _ = isInstalled
        locks.withLock { $0.append(lock) }
    }

    static func remove(_ lock: DomainLock) { locks.withLock { $0.removeAll { $0 == lock } } }
}
