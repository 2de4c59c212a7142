import LinuxIO
import SystemPackage

/// The connection to one client: its commands come, replies go. When a model reaches for memory that has no file, commands
/// of ours go the other way (VFIO_USER_DMA_READ, VFIO_USER_DMA_WRITE), on a socket of their own if that was agreed.
final class ClientChannel {
    /// Commands that came while an answer was waited for: so many, of so many bytes together.
    static let maximumEarlyMessages = 1024
    static let maximumEarlyByteCount = 4 << 20

    /// A socket and what has come of its next message.
    private final class Stream {
        let socket: UnixSocket
        var reader: MessageReader

        init(socket: consuming UnixSocket, limits: MessageLimits) {
            self.socket = socket
            reader = MessageReader(limits: limits)
        }

        func next() -> MessageReader.Step { reader.step(socket) }
    }

    private let commands: Stream
    /// Where our commands go.
    private var ours: Stream
    /// The client's end of ``ours``, if that is a socket of its own: open until the reply that carries it has gone, and after.
    private var twin: Stream?
    /// The one reply that the client has not taken yet. No command is read before it is gone.
    var outgoing: OutgoingMessage?
    /// Why no command of ours is answered any more.
    private(set) var fault: String?
    private let limits: MessageLimits
    private var early: [IncomingMessage] = []
    private var earlyByteCount = 0
    private var nextID: UInt16 = 0

    init(socket: consuming UnixSocket, limits: MessageLimits) {
        self.limits = limits
        commands = Stream(socket: socket, limits: limits)
        ours = commands
    }

    var socketNumber: Int32 { commands.socket.number }

    /// Sends what the socket takes of ``outgoing``. Returns whether nothing of it is left.
    func flush() throws(SystemCallError) -> Bool {
        guard var message = outgoing else { return true }
        let isSent = try message.send(on: commands.socket)
        outgoing = isSent ? nil : message
        return isSent
    }

    /// The next command: one that came early, else what the socket has.
    func next() -> MessageReader.Step {
        guard !early.isEmpty else { return commands.next() }
        let message = early.removeFirst()
        earlyByteCount -= message.payload.count
        return .message(message)
    }

    /// Whether ``next()`` has something that poll(2) does not know of.
    var hasEarlyMessages: Bool { !early.isEmpty || commands.reader.holdsBytes }
    var brokenHeader: (id: UInt16, command: UInt16)? { commands.reader.brokenHeader }

    /// From now on commands of ours have a socket of their own. Returns the client's end, whose copy goes to the client.
    func makeTwin() throws(SystemCallError) -> Int32 {
        let pair = try UnixSocketPair()
        let theirs = pair.second.number
        (ours, twin) = pair.split { (Stream(socket: $0, limits: limits), Stream(socket: $1, limits: limits)) }
        return theirs
    }

    /// Sends a command of ours and waits for its answer. nil: it was refused, or ``fault`` says why there is none.
    func request(_ command: Command, _ payload: [UInt8], timeoutMilliseconds: UInt64) -> [UInt8]? {
        guard fault == nil else { return nil }
        let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
        nextID &+= 1
        let message = OutgoingMessage(
            header: MessageHeader(id: nextID, command: command.rawValue, payloadByteCount: payload.count), payload: payload)
        guard send(message, deadline) else { return nil }
        while fault == nil {
            guard let answer = receive(deadline) else { return nil }
            guard answer.header.isReply else {
                keep(answer)
                continue
            }
            guard answer.header.id == nextID, answer.header.command == command.rawValue else {
                fail("the client answered \(command.name) with another reply")
                return nil
            }
            return answer.header.isError ? nil : answer.payload
        }
        return nil
    }

    private func fail(_ reason: String) { fault = reason }

    private func keep(_ message: IncomingMessage) {
        guard ours === commands else { return fail("the client sends commands on the server's socket") }
        early.append(message)
        earlyByteCount += message.payload.count
        if early.count > Self.maximumEarlyMessages || earlyByteCount > Self.maximumEarlyByteCount {
            fail("the client sends commands instead of an answer")
        }
    }

    /// Half a reply may be on its way: it goes first.
    private func send(_ message: OutgoingMessage, _ deadline: Deadline) -> Bool {
        var message = message
        while true {
            do throws(SystemCallError) {
                let isFree = try ours !== commands ? true : flush()
                if isFree, try message.send(on: ours.socket) { return true }
            } catch {
                fail(error.description)
                return false
            }
            guard wait(.writable, deadline) else { return false }
        }
    }

    private func receive(_ deadline: Deadline) -> IncomingMessage? {
        while true {
            switch ours.next() {
            case .message(let message): return message
            case .closed:
                fail("the client hung up instead of an answer")
                return nil
            case .broken(let reason, _):
                fail(reason)
                return nil
            case .wouldBlock: guard wait(.readable, deadline) else { return nil }
            }
        }
    }

    private func wait(_ events: PollEvents, _ deadline: Deadline) -> Bool {
        guard !deadline.hasPassed else {
            fail("the client does not answer the server's commands")
            return false
        }
        _ = waitForEvents([PollRequest(ours.socket.number, events)], timeoutMilliseconds: deadline.remainingMilliseconds)
        return true
    }
}
