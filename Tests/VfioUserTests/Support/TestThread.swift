import Glibc

/// A thread of the system's own: servers and clients block, and the test runner's threads are few.
final class TestThread: @unchecked Sendable {
    private let handle: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        var handle = pthread_t()
        // SAFETY: the context is retained here and released once by the thread that it is handed to.
        let result = unsafe pthread_create(
            &handle, nil,
            { context in
                unsafe Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
        precondition(result == 0)
        self.handle = handle
    }

    /// Waits for its end; once.
    func join() {
        _ = pthread_join(handle, nil)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
