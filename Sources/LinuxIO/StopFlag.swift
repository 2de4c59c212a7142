import CLinuxShims
import Glibc
import Synchronization
import SystemPackage

/// Says that a command shall end soon. Raised by a signal or by another thread, looked at by loops.
public final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)
    private let number = Atomic<Int32>(0)

    public init() {}

    /// A relaxed load: cheap enough for a polling loop.
    public var isRaised: Bool { raised.load(ordering: .relaxed) }
    /// The signal that raised it, 0 if none did.
    public var signal: Int32 { number.load(ordering: .acquiring) }

    public func raise(signal: Int32 = 0) {
        number.store(signal, ordering: .releasing)
        raised.store(true, ordering: .releasing)
    }
}

/// SIGINT, SIGTERM and SIGHUP as a flag. A thread waits for them (sigwait(3)), so that no code runs in a signal handler.
public enum ShutdownSignals {
    /// From now on the first signal raises `flag` and runs `then` on the waiting thread, and the second one ends the process as if nobody had caught it.
    ///
    /// Call it before any other thread is made: threads inherit the blocked signals. Errors: no thread could be made.
    public static func raise(_ flag: StopFlag, then: @escaping @Sendable () -> Void = {}) throws(SystemCallError) {
        var signals = sigset_t()
        // SAFETY: a local set is written and read for the time of each call.
        unsafe sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { _ = unsafe sigaddset(&signals, number) }
        let code = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        guard code == 0 else {
            throw SystemCallError(call: "pthread_sigmask", subject: "this thread", errno: Errno(rawValue: code))
        }
        let blocked = signals
        _ = try WorkerThread {
            let first = wait(for: blocked)
            flag.raise(signal: first)
            then()
            let second = wait(for: blocked)
            die(by: second)
        }
    }

    /// From now on these signals, and a write to a pipe whose reader has gone, do not end the process.
    public static func ignore() {
        // SAFETY: SIG_IGN is the kernel's constant, no function of ours.
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { _ = Glibc.signal(number, SIG_IGN) }
    }

    private static func wait(for signals: sigset_t) -> Int32 {
        var signals = signals
        var number: Int32 = 0
        // SAFETY: two locals are read and written for the time of the call.
        while unsafe sigwait(&signals, &number) != 0 {}
        return number
    }

    private static func die(by number: Int32) {
        var only = sigset_t()
        // SAFETY: a local set is written and read for the time of each call; the default action takes no pointer.
        unsafe sigemptyset(&only)
        unsafe sigaddset(&only, number)
        _ = Glibc.signal(number, SIG_DFL)
        _ = kill(getpid(), number)
        _ = unsafe pthread_sigmask(SIG_UNBLOCK, &only, nil)
        _exit(128 + number)
    }
}
