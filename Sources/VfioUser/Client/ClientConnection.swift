import DeviceAccess
import LinuxIO
import Synchronization
import SystemPackage

/// The client's side of a connection: one request at a time, each with a deadline, replies matched by id. Requests may
/// come from any thread; they take turns.
///
/// The server is not trusted: what it sends is judged, and a connection whose bytes make no sense is given up.
/// Once that has happened, or the server hung up, every call throws `.gone` at once.
final class ClientConnection {
    struct Answer {
        var payload: [UInt8]
        var descriptors: [ReceivedDescriptor]
    }

    /// Replies that came too late are thrown away; a server that owes so many is taken for dead.
    static let maximumAbandoned = 64
    /// Messages that are no answer, in one wait: a server that floods must not keep us busy until the deadline.
    static let maximumForeignMessages = 1024

    let device: String
    let timeoutMilliseconds: UInt64
    /// An answer is looked for so long before poll(2) waits for it.
    var spinMicroseconds: UInt64 {
        get { spin.load(ordering: .relaxed) }
        set { spin.store(newValue, ordering: .relaxed) }
    }
    private let spin = Atomic<UInt64>(0)
    private let socket: UnixSocket
    private var reader: MessageReader
    private var nextID: UInt16 = 0
    private var abandoned: Set<UInt16> = []
    private let gone = Mutex<String?>(nil)
    /// Why the connection is of no more use; nil while it is.
    private var goneReason: String? { gone.withLock { $0 } }
    /// Held for a request and its answer, by every call that other threads may make.
    private let turn = Mutex(())

    init(device: String, socket: consuming UnixSocket, limits: MessageLimits, timeoutMilliseconds: UInt64) {
        self.device = device
        self.socket = socket
        self.timeoutMilliseconds = timeoutMilliseconds
        reader = MessageReader(limits: limits)
    }

    /// Connects, trying again while the server's queue is full.
    static func connect(device: String, path: String, timeoutMilliseconds: UInt64) throws(DeviceError) -> UnixSocket {
        guard !path.isEmpty, path.utf8.count <= UnixSocket.maximumPathByteCount else {
            throw .notFound(
                device: device, reason: "a socket's path has 1 to \(UnixSocket.maximumPathByteCount) bytes",
                fix: "Give the path of the server's socket, for example vfio-user:/run/nic.sock.")
        }
        let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
        while true {
            do throws(SystemCallError) {
                return try UnixSocket.connect(to: path)
            } catch {
                switch error.errno {
                case .noSuchFileOrDirectory:
                    throw .notFound(
                        device: device, reason: "there is no socket at \(path)", fix: "Start the server first: unic serve --socket \(path)."
                    )
                case .connectionRefused:
                    throw .notUsable(
                        device: device, group: nil, reason: "nobody listens at \(path)",
                        fix: "The server that made it is gone, or it is no socket: start unic serve --socket \(path) again.")
                case .wouldBlock where !deadline.hasPassed: _ = waitForEvents([], timeoutMilliseconds: 10)
                case .wouldBlock:
                    throw .timedOut(device: device, waitingFor: "room in the server's queue", milliseconds: timeoutMilliseconds)
                default:
                    throw .systemCall(device: device, group: nil, cause: error, fix: "Check the permissions of \(path).")
                }
            }
        }
    }

    /// Sends a command and waits for its answer. An error of the server's is the second case.
    func request(
        _ command: Command, _ payload: [UInt8], descriptors: [Int32] = []
    ) throws(DeviceError) -> Result<Answer, SystemCallError> {
        try takingTurns { () throws(DeviceError) in try askAndWait(command, payload, descriptors) }
    }

    private func takingTurns<Value>(_ body: () throws(DeviceError) -> Value) throws(DeviceError) -> Value {
        try turn.withLock { (_) throws(DeviceError) in try body() }
    }

    private func askAndWait(
        _ command: Command, _ payload: [UInt8], _ descriptors: [Int32]
    ) throws(DeviceError) -> Result<Answer, SystemCallError> {
        if let goneReason { throw .gone(device: device, reason: goneReason) }
        let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
        let spinEnd = spinMicroseconds == 0 ? 0 : MonotonicClock.nanoseconds() &+ spinMicroseconds &* 1000
        let id = takeID()
        try send(
            OutgoingMessage(
                header: MessageHeader(id: id, command: command.rawValue, payloadByteCount: payload.count), payload: payload,
                descriptors: descriptors),
            of: command, deadline)
        return try answer(to: id, of: command, deadline, spinEnd: spinEnd)
    }

    /// Sends a command that nobody answers.
    func post(_ command: Command, _ payload: [UInt8]) throws(DeviceError) {
        try takingTurns { () throws(DeviceError) in
            if let goneReason { throw DeviceError.gone(device: device, reason: goneReason) }
            let header = MessageHeader(id: takeID(), command: command.rawValue, payloadByteCount: payload.count, noReply: true)
            try send(OutgoingMessage(header: header, payload: payload), of: command, Deadline(afterMilliseconds: timeoutMilliseconds))
        }
    }

    /// Throws if the server hung up; reads nothing.
    func checkPresence() throws(DeviceError) {
        try takingTurns { () throws(DeviceError) in
            if let goneReason { throw DeviceError.gone(device: device, reason: goneReason) }
            let events = waitForEvents([PollRequest(socket.number, .peerClosed)], timeoutMilliseconds: 0)
            if !events[0].isDisjoint(with: .gone) { throw giveUp("the server hung up") }
        }
    }

    /// Remembers that the connection is of no more use.
    func giveUp(_ reason: String) -> DeviceError {
        gone.withLock { $0 = reason }
        return .gone(device: device, reason: reason)
    }

    func violation(_ reason: String) -> DeviceError {
        gone.withLock { $0 = "the server broke the protocol: \(reason)" }
        return .protocolViolation(device: device, reason: reason)
    }

    private func takeID() -> UInt16 {
        repeat { nextID &+= 1 } while abandoned.contains(nextID)
        return nextID
    }

    private func send(_ outgoing: OutgoingMessage, of command: Command, _ deadline: Deadline) throws(DeviceError) {
        var message = outgoing
        while true {
            do throws(SystemCallError) {
                if try message.send(on: socket) { return }
            } catch {
                throw giveUp(error.errno == .brokenPipe || error.errno == .connectionReset ? "the server hung up" : error.description)
            }
            guard !deadline.hasPassed else {
                // Half a message is out: what follows would be taken for its rest.
                if message.sent > 0 { _ = giveUp("the server stopped reading in the middle of a message") }
                throw .timedOut(device: device, waitingFor: "room to send \(command.name)", milliseconds: timeoutMilliseconds)
            }
            _ = waitForEvents([PollRequest(socket.number, .writable)], timeoutMilliseconds: deadline.remainingMilliseconds)
        }
    }

    private func answer(
        to id: UInt16, of command: Command, _ deadline: Deadline, spinEnd: UInt64
    ) throws(DeviceError) -> Result<Answer, SystemCallError> {
        var foreign = 0
        while true {
            switch reader.step(socket) {
            case .closed: throw giveUp("the server hung up")
            case .broken(let reason, _): throw violation(reason)
            case .wouldBlock:
                if spinEnd > 0, MonotonicClock.nanoseconds() < spinEnd {
                    Processor.spinHint()
                } else {
                    try waitForAnswer(to: id, of: command, deadline)
                }
            case .message(let message):
                let header = message.header
                if header.isReply, header.id == id {
                    guard header.command == command.rawValue else {
                        throw violation("it answered \(command.name) with \(header.commandName)")
                    }
                    return try judge(message, command)
                }
                foreign += 1
                guard foreign <= ClientConnection.maximumForeignMessages else {
                    throw violation("it floods with messages that nobody asked for")
                }
                if header.isReply {
                    guard abandoned.remove(header.id) != nil else { throw violation("a reply with the id \(header.id) of no command") }
                } else {
                    try refuse(header, deadline)
                }
            }
        }
    }

    private func judge(_ message: IncomingMessage, _ command: Command) throws(DeviceError) -> Result<Answer, SystemCallError> {
        guard message.header.isError else { return .success(Answer(payload: message.payload, descriptors: message.descriptors)) }
        // The error "may be zero even if the Error bit is set".
        let code = message.header.errno == 0 ? Errno.ioError : Errno(rawValue: CInt(clamping: message.header.errno))
        return .failure(SystemCallError(call: command.name, subject: "the server", errno: code))
    }

    private func waitForAnswer(to id: UInt16, of command: Command, _ deadline: Deadline) throws(DeviceError) {
        guard !deadline.hasPassed else {
            abandoned.insert(id)
            if abandoned.count > ClientConnection.maximumAbandoned { _ = giveUp("the server answers nothing") }
            throw .timedOut(device: device, waitingFor: "reply to \(command.name)", milliseconds: timeoutMilliseconds)
        }
        _ = waitForEvents([PollRequest(socket.number, .readable)], timeoutMilliseconds: deadline.remainingMilliseconds)
    }

    /// Commands of the server (VFIO_USER_DMA_READ, VFIO_USER_DMA_WRITE) are not served here: all memory came with a file.
    private func refuse(_ header: MessageHeader, _ deadline: Deadline) throws(DeviceError) {
        guard !header.noReply else { return }
        let reply = MessageHeader(
            id: header.id, command: header.command, payloadByteCount: 0, isReply: true, isError: true,
            errno: UInt32(Errno.notSupported.rawValue))
        try send(OutgoingMessage(header: reply, payload: []), of: Command(rawValue: header.command) ?? .dmaRead, deadline)
    }
}
