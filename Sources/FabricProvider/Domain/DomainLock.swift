import Glibc

/// Keeps threads of one domain apart. There is one only if the application asked for threads (FI_THREAD_SAFE and its like);
/// with FI_THREAD_DOMAIN it does so itself, and a call costs one look at a nil.
@safe struct DomainLock: @unchecked Sendable {
    fileprivate let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init() {
        // SAFETY: fresh memory that `destroy` gives back; initialized at once.
        unsafe mutex = .allocate(capacity: 1)
        // SAFETY: as above. Default attributes cannot fail (pthread_mutex_init(3)).
        _ = unsafe pthread_mutex_init(mutex, nil)
    }

    // SAFETY: initialized by `init`.
    @inline(__always) func lock() { _ = unsafe pthread_mutex_lock(mutex) }
    // SAFETY: as above.
    @inline(__always) func unlock() { _ = unsafe pthread_mutex_unlock(mutex) }

    func destroy() {
        // SAFETY: the domain is closed: no thread is in a call of it.
        _ = unsafe pthread_mutex_destroy(mutex)
        // SAFETY: allocated by `init`.
        unsafe mutex.deallocate()
    }
}

extension DomainLock: Equatable {
    // SAFETY: addresses are compared, not what is there.
    static func == (left: Self, right: Self) -> Bool { unsafe left.mutex == right.mutex }
}

extension Optional where Wrapped == DomainLock {
    /// Runs a call of libfabric alone in its domain.
    @inline(__always) func around<Result>(_ body: () -> Result) -> Result {
        guard let self else { return body() }
        self.lock()
        defer { self.unlock() }
        return body()
    }
}
