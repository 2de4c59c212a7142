public import LinuxIO

/// A function at a socket, as ``ServerLoop`` sees it: ``VfioUserServer``.
public protocol ServedFunction: AnyObject {
    var control: ServerControl { get }
    /// From now on clients can connect.
    func open() throws(ServerError)
    /// The client is let go, and nobody can connect any more.
    func close()
    /// A bounded piece of work: for the client, or of the model. False: it looked everywhere, and there was nothing.
    func takeTurn() -> Bool
    /// When it last had work, on the monotonic clock; nil: nobody is connected.
    var lastWork: UInt64? { get }
    /// Whether the model has to be looked at although nothing wakes its server.
    var wantsLooks: Bool { get }
    /// Arms everything that can wake the server, and appends it. False: there is work after all, do not sleep.
    func prepareSleep(_ requests: inout [PollRequest]) -> Bool
    /// What happened to the requests that it appended, the first of them at `start`.
    func finishSleep(_ events: [PollEvents], from start: Int)
    /// Shows its numbers to other threads.
    func publish()
}

/// One thread for one or more functions: none of them has to fear that another works at the same time. A relay's IOMMU and
/// the models behind it share one, so that after an unmap's answer no model is in the middle of a transfer.
public final class ServerLoop {
    private let functions: [any ServedFunction]
    private let options: ServerOptions
    /// When an asleep loop looks at its models.
    private var lookTimer: IntervalTimer
    /// When a busy loop last looked at everything but the clients' sockets.
    private var lastLook: UInt64 = 0

    /// - Parameter options: how it waits; what clients may send is the functions' own affair.
    public init(_ functions: [any ServedFunction], options: ServerOptions) throws(SystemCallError) {
        self.functions = functions
        self.options = options
        lookTimer = try IntervalTimer()
    }

    /// Serves until one of the functions is told to stop. Their socket files go with it.
    /// - Parameter ready: called once clients can connect to all of them.
    public func serve(ready: () -> Void = {}) throws(ServerError) {
        defer { for function in functions { function.close() } }
        for function in functions { try function.open() }
        ready()
        run { true }
    }

    /// Works until one of them is told to stop, or nobody wants it any longer; that is asked before each wait.
    func run(while isWanted: () -> Bool) {
        while true {
            var worked = false
            for function in functions {
                if function.takeTurn() { worked = true }
                if function.control.isStopRequested { return publish() }
            }
            if worked { continue }
            guard isWanted() else { return publish() }
            wait()
        }
    }

    private func publish() { for function in functions { function.publish() } }

    private func wait() {
        let lastWork = functions.compactMap(\.lastWork).max()
        if options.busyPoll, lastWork != nil {
            lookAround()
            // Beside the looks at the sockets a yield costs nothing, and where cores are short the clients need this one.
            Processor.yield()
        } else if let lastWork, MonotonicClock.nanoseconds() &- lastWork < options.pollMicroseconds &* 1000 {
            Processor.yield()
        } else {
            sleep(lastWork: lastWork)
        }
    }

    /// A busy loop's look at what wakes others, each millisecond.
    private func lookAround() {
        let now = MonotonicClock.nanoseconds()
        guard now &- lastLook > 1_000_000 else { return }
        lastLook = now
        publish()
        sleep(timeoutMilliseconds: 0)
    }

    /// Sleeps until there is something to do.
    private func sleep(lastWork: UInt64?) {
        let hasRecentWork = lastWork.map { MonotonicClock.nanoseconds() &- $0 < options.timerMilliseconds &* 1_000_000 } ?? false
        let looks = hasRecentWork || functions.contains { $0.wantsLooks }
        lookTimer.set(milliseconds: looks ? options.lookMilliseconds : 0)
        sleep(timeoutMilliseconds: -1)
    }

    private func sleep(timeoutMilliseconds: Int32) {
        var requests = [PollRequest(lookTimer.number, .readable)]
        var starts: [Int] = []
        var mayWait = true
        for function in functions {
            starts.append(requests.count)
            if !function.prepareSleep(&requests) { mayWait = false }
        }
        if mayWait { publish() }
        // A reply that waits has a deadline: look at it now and then.
        let hasWaiting = requests.contains { $0.events.contains(.writable) }
        let timeout = mayWait ? (hasWaiting && timeoutMilliseconds < 0 ? 100 : timeoutMilliseconds) : 0
        let events = waitForEvents(requests, timeoutMilliseconds: timeout)
        if !events[0].isEmpty { lookTimer.drain() }
        for (function, start) in zip(functions, starts) { function.finishSleep(events, from: start) }
    }
}
