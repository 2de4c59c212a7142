public import LinuxIO

/// A function at a socket, as ``ServerLoop`` sees it: ``VfioUserServer``.
public protocol ServedFunction: AnyObject {
    var control: ServerControl { get }
    /// From now on clients can connect.
    func open() throws(ServerError)
    /// The client is let go, and nobody can connect any more.
    func close()
    /// A bounded piece of work: of the model, and for the client if `looking`. False: it looked there, and there was nothing.
    func takeTurn(looking: Bool) -> Bool
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
    private var window: PollWindow
    /// When a busy loop last looked at everything but the clients' sockets.
    private var lastLook: UInt64 = 0
    private let sharesOneProcessor = Processor.usable.count < 2
    /// Turns since the last one in which all looked at their sockets.
    private var turns = 0
    /// When the last turn with work ended.
    private var lastTurnEnd: UInt64 = 0
    /// Whose turn it is, and whose was interrupted by it.
    private var underWay: Set<Int> = []
    /// A look costs a system call, a step of a model without work some nanoseconds.
    private var turnsBetweenLooks: Int { sharesOneProcessor ? 1 : 16 }

    /// - Parameter options: how it waits; what clients may send is the functions' own affair.
    public init(_ functions: [any ServedFunction], options: ServerOptions) throws(SystemCallError) {
        self.functions = functions
        self.options = options
        window = PollWindow(least: options.pollMicroseconds &* 1000, most: options.maximumPollMicroseconds &* 1000)
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
            turns += 1
            let looking = turns >= turnsBetweenLooks
            if looking { turns = 0 }
            var worked = false
            for index in functions.indices {
                if takeTurn(index, looking: looking) { worked = true }
                if functions[index].control.isStopRequested { return publish() }
            }
            if worked {
                hurryLook()
                continue
            }
            guard looking else {
                Processor.spinHint()
                continue
            }
            guard isWanted() else { return publish() }
            wait()
        }
    }

    private func takeTurn(_ index: Int, looking: Bool) -> Bool {
        underWay.insert(index)
        defer { underWay.remove(index) }
        return functions[index].takeTurn(looking: looking)
    }

    /// Gives every function but the one whose turn it is a turn with a look at its socket: for a function that has to do in one
    /// turn what takes long, between its pieces.
    public func serveOthers() {
        for index in functions.indices where !underWay.contains(index) { _ = takeTurn(index, looking: true) }
    }

    /// Turns of much work, as pieces of the host's mappings are, are followed by a look at once.
    private func hurryLook() {
        let now = MonotonicClock.nanoseconds()
        if now &- lastTurnEnd > 1_000_000 { turns = turnsBetweenLooks - 1 }
        lastTurnEnd = now
    }

    /// When a client last had work; nil: nobody is connected.
    private var lastWork: UInt64? {
        var last: UInt64?
        for function in functions {
            if let work = function.lastWork { last = max(last ?? 0, work) }
        }
        return last
    }

    private func publish() { for function in functions { function.publish() } }

    private func wait() {
        let lastWork = self.lastWork
        if options.busyPoll, lastWork != nil {
            lookAround()
            // Beside the looks at the sockets a yield costs nothing, and where cores are short the clients need this one.
            Processor.yield()
        } else if let lastWork, MonotonicClock.nanoseconds() &- lastWork < window.nanoseconds {
            if options.yieldsWhilePolling || sharesOneProcessor { Processor.yield() } else { Processor.spinHint() }
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
        let start = MonotonicClock.nanoseconds()
        window.noteSleep(at: start)
        let hasRecentWork = lastWork.map { start &- $0 < options.timerMilliseconds &* 1_000_000 } ?? false
        let looks = hasRecentWork || functions.contains { $0.wantsLooks }
        lookTimer.set(milliseconds: looks ? options.lookMilliseconds : 0)
        if sleep(timeoutMilliseconds: -1), let lastWork {
            let end = MonotonicClock.nanoseconds()
            window.noteWake(after: end &- lastWork, at: end)
        }
        // What woke it is most often a message.
        turns = turnsBetweenLooks - 1
    }

    /// True: something other than the clock ended it.
    @discardableResult private func sleep(timeoutMilliseconds: Int32) -> Bool {
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
        return !mayWait || events.dropFirst().contains { !$0.isEmpty }
    }
}
