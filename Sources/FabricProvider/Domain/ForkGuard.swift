import Glibc

/// Locks that a thread of the library's own takes at any moment: a child of fork(2) gets them free, whatever that thread did at the time
/// (pthread_atfork(3)). Without such threads nothing is here.
enum ForkGuard {
    /// Of the list, and taken before the locks in it: a fork keeps it until it is over, so that none of them goes away meanwhile, and a
    /// child gets this one free, too.
    private static let listLock = DomainLock()
    // SAFETY: used by whoever holds `listLock`.
    nonisolated(unsafe) private static var locks: [DomainLock] = []
    private static let isInstalled: Bool = {
        pthread_atfork(
            {
                ForkGuard.listLock.lock()
                for lock in unsafe ForkGuard.locks { lock.lock() }
            }, { ForkGuard.release() }, { ForkGuard.release() }) == 0
    }()

    private static func release() {
        // SAFETY: the fork holds the list's lock.
        for lock in unsafe locks { lock.unlock() }
        listLock.unlock()
    }

    // Not with one of the locks in the list.

    static func add(_ lock: DomainLock) {
        _ = isInstalled
        // SAFETY: with the list's lock.
        Optional(listLock).around { unsafe locks.append(lock) }
    }

    /// Before it is destroyed.
    static func remove(_ lock: DomainLock) {
        // SAFETY: with the list's lock.
        Optional(listLock).around { unsafe locks.removeAll { $0 == lock } }
    }
}
