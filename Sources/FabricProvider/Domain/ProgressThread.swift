import Glibc
import LinuxIO

/// FI_PROGRESS_AUTO: drives a domain's endpoints while the application computes. It sleeps until a NIC interrupts, a timer of the
/// transport is over or somebody signals; while the application reads its queues itself it only looks whether that goes on.
///
/// All of its state belongs to the domain's lock.
final class ProgressThread: @unchecked Sendable {
    /// An application that has driven endpoints within so many nanoseconds does so again.
    private static let patience: UInt64 = 1_000_000

    private let lock: DomainLock
    private let owner = getpid()
    private var waiter: Waiter
    private var endpoints = ProgressList()
    private var thread: WorkerThread<Void>?
    private var isEnding = false
    /// When the application drove endpoints last.
    var drivenAt: UInt64 = 0

    /// It starts with its first endpoint.
    init(lock: DomainLock) throws(SystemCallError) {
        self.lock = lock
        waiter = try Waiter()
        ForkGuard.add(lock)
    }

    // With the lock.

    /// False: no thread can be made.
    func add(_ endpoint: FabricObject<OpenEndpoint>) -> Bool {
        waiter.disarm(endpoints)
        endpoints.add(endpoint)
        waiter.arm(until: 0)
        guard thread == nil else { return true }
        thread = try? WorkerThread { self.run() }
        return thread != nil
    }

    /// Before its port is closed.
    func remove(_ endpoint: FabricObject<OpenEndpoint>) {
        waiter.disarm(endpoints)
        endpoints.remove(endpoint)
        waiter.forget(endpoint)
    }

    func notify() { waiter.notify() }

    /// The application is about to sleep.
    func takeOver() {
        drivenAt = 0
        notify()
    }

    // Without it.

    /// The domain closes. In a child of the process that started it there is no such thread, and its descriptors are the parent's.
    func end() {
        // Last in the parent, whose thread uses the lock until it has ended; a child has no such thread.
        defer { ForkGuard.remove(lock) }
        guard owner == getpid() else {
            // SAFETY: one reference too many is what is wanted: it is never given back.
            _ = unsafe Unmanaged.passRetained(self)
            return
        }
        Optional(lock).around {
            isEnding = true
            waiter.arm()
            waiter.notify()
        }
        thread.take()?.join()
    }

    private func run() {
        WorkerThread<Void>.blockSignals()
        while true {
            switch Optional(lock).around({ turn() }) {
            case .sleep: _ = waitForReadable([waiter.number], timeoutMilliseconds: -1)
            case .again: Processor.yield()
            case .end: return
            }
        }
    }

    private enum Next { case sleep, again, end }

    private func turn() -> Next {
        if isEnding { return .end }
        waiter.disarm(endpoints)
        var now = MonotonicClock.nanoseconds()
        if now &- drivenAt < Self.patience {
            waiter.arm(until: now &+ Self.patience)
            return .sleep
        }
        var fruitless = 0
        for _ in 0..<16 {
            if !drive(now: now) { fruitless += 1 }
            now = MonotonicClock.nanoseconds()
            if waiter.arm(endpoints, now: now, insists: fruitless > 2) { return .sleep }
        }
        return .again
    }

    private func drive(now: UInt64) -> Bool {
        var received = false
        for index in 0..<endpoints.count where endpoints[index].progress(now: now) { received = true }
        return received
    }
}
