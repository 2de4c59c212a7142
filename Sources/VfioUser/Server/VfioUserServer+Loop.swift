import DeviceModel
public import LinuxIO
import SystemPackage

/// How one server divides a loop's turn between its client and its model.
extension VfioUserServer: ServedFunction where Model: ~Copyable {
    /// Messages in one turn before the model is stepped again.
    private var messagesATurn: Int { 32 }
    /// Whoever waits for an answer often sends the next one at once: for some microseconds each turn has a look.
    private var looksAfterCommand: Int { sharesOneProcessor || !(options.busyPoll || options.pollMicroseconds > 0) ? 0 : 32 }

    public func takeTurn(looking: Bool) -> Bool {
        guard let session else { return false }
        let worked = migration.isRunning && model.progress()
        if worked { session.lastWork = MonotonicClock.nanoseconds() }
        return looking || session.eagerLooks > 0 || session.change != nil ? look(session, afterWork: worked) : worked
    }

    /// A look at the socket. False: there was nothing, and no more is expected at once.
    private func look(_ session: ClientSession, afterWork worked: Bool) -> Bool {
        switch exchange(session) {
        case .closed: end(session)
        case .worked: session.lastWork = MonotonicClock.nanoseconds()
        case .drained:
            session.lastWork = MonotonicClock.nanoseconds()
            // Who shares its core gives it to the client now, who does not poll sleeps now: each looks at the socket then.
            session.eagerLooks = session.wasAnswered ? looksAfterCommand : 0
            return worked || session.eagerLooks > 0
        case .idle:
            if worked { return true }
            guard session.eagerLooks > 0 else { return false }
            session.eagerLooks -= 1
        }
        return true
    }

    public var lastWork: UInt64? { session?.lastWork }

    public var wantsLooks: Bool { session != nil && model.wantsPolling && !options.trapDoorbells }

    /// `drained`: it worked, and the socket is empty now.
    private enum Exchange { case closed, worked, drained, idle }

    /// Sends what waits and serves what came.
    private func exchange(_ session: ClientSession) -> Exchange {
        var result = Exchange.idle
        if let fault = session.channel.fault ?? memory.findBrokenFile() {
            session.fault = fault
            return .closed
        }
        for _ in 0..<messagesATurn {
            guard flush(session) else { return .closed }
            if session.channel.outgoing != nil { return result }
            if session.isClosing { return .closed }
            if session.change != nil {
                carryOn(session)
                guard session.change == nil else { return .worked }
                result = .worked
                continue
            }
            switch session.channel.next() {
            case .wouldBlock: return result == .worked ? .drained : .idle
            case .closed(let inside):
                if inside { session.fault = "the client hung up in the middle of a message" }
                return .closed
            case .broken(let reason, _):
                refuse(reason, session)
            case .message(let message):
                handle(message, session)
                session.wasAnswered = !message.header.noReply
                session.messages &+= 1
                if session.messages & 255 == 0 { publish() }
            }
            result = .worked
        }
        return result
    }

    /// False: the client is gone, or has not read for too long.
    private func flush(_ session: ClientSession) -> Bool {
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
    private func refuse(_ reason: String, _ session: ClientSession) {
        session.fault = reason
        session.isClosing = true
        guard let header = session.channel.brokenHeader else { return }
        session.channel.outgoing = OutgoingMessage(
            header: MessageHeader(id: header.id, command: header.command, payloadByteCount: 0, isReply: true, isError: true, errno: 22),
            payload: [])
    }

    // MARK: Sleeping

    /// The model is asked once more after it armed itself, so that nothing is missed.
    public func prepareSleep(_ requests: inout [PollRequest]) -> Bool {
        requests.append(PollRequest(control.stopDescriptor, .readable))
        requests.append(PollRequest(listener?.socket.number ?? -1, .readable))
        guard let session else { return true }
        let isWriting = session.channel.outgoing != nil
        requests.append(PollRequest(session.channel.socketNumber, isWriting ? .writable : .readable))
        requests.append(PollRequest(notification.number, .readable))
        requests.append(PollRequest(model.armWake() ?? -1, .readable))
        guard
            session.change != nil || (migration.isRunning && model.progress()) || (!isWriting && session.channel.hasEarlyMessages)
        else { return true }
        session.lastWork = MonotonicClock.nanoseconds()
        return false
    }

    public func finishSleep(_ events: [PollEvents], from start: Int) {
        if session != nil {
            model.disarmWake()
            if !events[start + 3].isEmpty { _ = notification.drain() }
        }
        if !events[start].isEmpty { control.noticeSignal() }
        if !events[start + 1].isEmpty { meetNewcomer() }
    }
}
