import DeviceModel
import LinuxIO
import SystemPackage

/// How the server's thread divides itself between the socket and the model.
extension VfioUserServer where Model: ~Copyable {
    /// Messages in one turn before the model is stepped again.
    private var messagesATurn: Int { 32 }
    /// Steps of the model between looks at the socket: a look costs a system call, a step without work some nanoseconds.
    private var stepsBetweenLooks: Int { sharesOneProcessor ? 1 : 16 }
    /// Whoever sent a command often sends the next one at once: for some microseconds each step is followed by a look.
    private var looksAfterCommand: Int { sharesOneProcessor || !(options.busyPoll || options.pollMicroseconds > 0) ? 0 : 32 }

    /// Works for the client until it goes to sleep once. False: the connection is over.
    func run(_ session: inout ClientSession) -> Bool {
        var steps = stepsBetweenLooks - 1
        var eagerLooks = 0
        while true {
            if control.isStopRequested { return false }
            let worked = migration.isRunning && model.progress()
            if worked { session.lastWork = MonotonicClock.nanoseconds() }
            steps += 1
            guard steps >= stepsBetweenLooks || eagerLooks > 0 else {
                if !worked { pause() }
                continue
            }
            steps = 0
            switch exchange(&session) {
            case .closed: return false
            case .worked:
                session.lastWork = MonotonicClock.nanoseconds()
                continue
            case .drained:
                session.lastWork = MonotonicClock.nanoseconds()
                // Who shares its core gives it to the client now, who does not poll sleeps now: each looks at the socket then.
                eagerLooks = looksAfterCommand
                if worked || eagerLooks > 0 { continue }
            case .idle:
                if worked { continue }
                if eagerLooks > 0 {
                    eagerLooks -= 1
                    continue
                }
            }
            if options.busyPoll {
                if lookAround(&session) { return true }
                // Beside the look at the socket a yield costs nothing, and where cores are short the client needs this one.
                Processor.yield()
            } else if MonotonicClock.nanoseconds() &- session.lastWork < options.pollMicroseconds &* 1000 {
                Processor.yield()
            } else {
                sleep(&session)
                return true
            }
        }
    }

    /// `drained`: it worked, and the socket is empty now.
    enum Exchange { case closed, worked, drained, idle }

    /// Sends what waits and serves what came.
    private func exchange(_ session: inout ClientSession) -> Exchange {
        var result = Exchange.idle
        if let fault = session.channel.fault ?? memory.findBrokenFile() {
            session.fault = fault
            return .closed
        }
        for _ in 0..<messagesATurn {
            guard flush(&session) else { return .closed }
            if session.channel.outgoing != nil { return result }
            if session.isClosing { return .closed }
            switch session.channel.next() {
            case .wouldBlock: return result == .worked ? .drained : .idle
            case .closed(let inside):
                if inside { session.fault = "the client hung up in the middle of a message" }
                return .closed
            case .broken(let reason, _):
                refuse(reason, &session)
            case .message(let message):
                handle(message, &session)
                session.messages &+= 1
                if session.messages & 255 == 0 { publish() }
            }
            result = .worked
        }
        return result
    }

    /// False: the client is gone, or has not read for too long.
    private func flush(_ session: inout ClientSession) -> Bool {
        do throws(SystemCallError) {
            if try session.channel.flush() {
                session.stalledSince = nil
                return true
            }
        } catch {
            if error.errno != .brokenPipe && error.errno != .connectionReset { session.fault = error.description }
            return false
        }
        if let deadline = session.stalledSince {
            if deadline.hasPassed {
                session.fault = "the client did not read its replies for \(options.stalledClientMilliseconds) ms"
                return false
            }
        } else {
            session.stalledSince = Deadline(afterMilliseconds: options.stalledClientMilliseconds)
        }
        return true
    }

    /// Answers a message that cannot be understood, if it can be named, and ends the connection then.
    private func refuse(_ reason: String, _ session: inout ClientSession) {
        session.fault = reason
        session.isClosing = true
        guard let header = session.channel.brokenHeader else { return }
        session.channel.outgoing = OutgoingMessage(
            header: MessageHeader(id: header.id, command: header.command, payloadByteCount: 0, isReply: true, isError: true, errno: 22),
            payload: [])
    }

    /// A busy server's look at the stop descriptor and the listener, each millisecond. True: somebody is there.
    private func lookAround(_ session: inout ClientSession) -> Bool {
        let now = MonotonicClock.nanoseconds()
        guard now &- session.lastLook > 1_000_000 else { return false }
        session.lastLook = now
        publish()
        return wait(&session, wake: nil, timeoutMilliseconds: 0)
    }

    /// Sleeps until there is something to do. The model is asked once more after it armed itself, so that nothing is missed.
    private func sleep(_ session: inout ClientSession) {
        let wake = model.armWake()
        defer { model.disarmWake() }
        let worked = migration.isRunning && model.progress()
        if worked || (session.channel.outgoing == nil && session.channel.hasEarlyMessages) {
            session.lastWork = MonotonicClock.nanoseconds()
            return
        }
        publish()
        let looksAtDoorbells = model.wantsPolling && !options.trapDoorbells
        let hasRecentWork = MonotonicClock.nanoseconds() &- session.lastWork < options.timerMilliseconds &* 1_000_000
        lookTimer.set(milliseconds: looksAtDoorbells || hasRecentWork ? options.lookMilliseconds : 0)
        _ = wait(&session, wake: wake, timeoutMilliseconds: -1)
    }

    private func wait(_ session: inout ClientSession, wake: Int32?, timeoutMilliseconds: Int32) -> Bool {
        var requests = [
            PollRequest(control.stopDescriptor, .readable),
            PollRequest(session.channel.socketNumber, session.channel.outgoing == nil ? .readable : .writable),
            PollRequest(session.listenerNumber ?? -1, .readable),
            PollRequest(notification.number, .readable),
            PollRequest(lookTimer.number, .readable),
        ]
        if let wake { requests.append(PollRequest(wake, .readable)) }
        // A reply that waits has a deadline: look at it now and then.
        let timeout = session.channel.outgoing != nil && timeoutMilliseconds < 0 ? 100 : timeoutMilliseconds
        let events = waitForEvents(requests, timeoutMilliseconds: timeout)
        if !events[0].isEmpty { control.noticeSignal() }
        if !events[2].isEmpty { session.sawNewcomer = true }
        if !events[3].isEmpty { _ = notification.drain() }
        if !events[4].isEmpty { lookTimer.drain() }
        return !events[0].isEmpty || !events[2].isEmpty
    }

    /// Between two looks: on one CPU others have to run for there to be anything to see.
    private func pause() {
        if sharesOneProcessor { Processor.yield() } else { Processor.spinHint() }
    }
}
