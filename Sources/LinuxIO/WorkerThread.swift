import Glibc
import SystemPackage

/// A thread of the operating system that returns one value, joined by its owner. One that is dropped runs on, detached.
public struct WorkerThread<Value: Sendable>: ~Copyable, Sendable {
    private let thread: pthread_t
    private let outcome: Outcome

    /// What the thread leaves behind; read only after the join, which orders the two.
    private final class Outcome: @unchecked Sendable {
        var value: Value?
        /// Touched by the owner alone.
        var isJoined = false
        let body: @Sendable () -> Value
        init(_ body: @escaping @Sendable () -> Value) { self.body = body }
    }

    /// Starts `body` on a thread of its own.
    public init(_ body: @escaping @Sendable () -> Value) throws(SystemCallError) {
        let outcome = Outcome(body)
        let start = WorkerThreadStart { outcome.value = outcome.body() }
        var thread = pthread_t()
        // SAFETY: the box is retained here and released exactly once, by the thread or by the failure branch below.
        let box = unsafe Unmanaged.passRetained(start).toOpaque()
        let code = unsafe pthread_create(&thread, nil, runWorkerThread, box)
        guard code == 0 else {
            // SAFETY: no thread was made, so nobody else releases the box.
            unsafe Unmanaged<WorkerThreadStart>.fromOpaque(box).release()
            throw SystemCallError(call: "pthread_create", subject: "a worker thread", errno: Errno(rawValue: code))
        }
        self.thread = thread
        self.outcome = outcome
    }

    /// Signals go to other threads from now on. For the thread itself: a library's thread shall not run an application's handlers.
    public static func blockSignals() {
        var all = sigset_t()
        // SAFETY: a local that is filled and then read.
        unsafe sigfillset(&all)
        _ = unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
    }

    /// Waits for the thread's end. Returns what it returned.
    public consuming func join() -> Value {
        let outcome = self.outcome
        // The thread exists and is joined once: this consumes its only owner.
        _ = pthread_join(thread, nil)
        outcome.isJoined = true
        guard let value = outcome.value else { preconditionFailure("a joined thread has left its value") }
        return value
    }

    deinit { if !outcome.isJoined { _ = pthread_detach(thread) } }
}

/// What a new thread is handed: no generic parameter, since a C function pointer cannot carry one.
private final class WorkerThreadStart {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
}

private func runWorkerThread(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // SAFETY: the creator passed one retained WorkerThreadStart, which this takes over.
    guard let box = unsafe box else { return nil }
    let start = unsafe Unmanaged<WorkerThreadStart>.fromOpaque(box).takeRetainedValue()
    start.run()
    return nil
}
