import LinuxIO

/// Sleeping until there may be something to read.
extension FabricObject where State == CompletionQueue {
    /// However long a sleep may be, somebody looks now and then.
    private static var longestSleepMilliseconds: Int32 { 1000 }

    /// fi_trywait: false if there is something to read; else ``CompletionQueue/waiter`` wakes who sleeps on it now.
    func mayWait() -> Bool {
        state.lock.around {
            let may = prepareSleep()
            // A signal ends one wait, and this was it.
            if !may { state.isSignalled = false }
            return may
        }
    }

    func sleep(atMostMilliseconds limit: Int32) {
        let number = state.lock.around { () -> Int32? in
            if state.waiter == nil { state.waiter = try? Waiter() }
            return prepareSleep() ? state.waiter?.number ?? -1 : nil
        }
        guard let number else { return }
        // Without a descriptor (there are no more) poll(2) skips -1: looks by time alone.
        let longest = number < 0 ? 1 : Self.longestSleepMilliseconds
        _ = waitForReadable([number], timeoutMilliseconds: min(max(limit, 1), longest))
    }

    private func prepareSleep() -> Bool {
        if let thread = state.domain.state.thread { return leaveTo(thread) }
        var fruitless = 0
        for _ in 0..<16 {
            if state.ring.count == 0, !progress() { fruitless += 1 }
            guard state.ring.count == 0, !state.isSignalled else { return false }
            if state.arm(insists: fruitless > 2) { return true }
        }
        return false
    }

    /// The progress thread drives the endpoints; what it brings wakes who sleeps here.
    private func leaveTo(_ thread: ProgressThread) -> Bool {
        if state.ring.count == 0 { progress() }
        guard state.ring.count == 0, !state.isSignalled else { return false }
        state.waiter?.arm()
        thread.takeOver()
        return true
    }
}
