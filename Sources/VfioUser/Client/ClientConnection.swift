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
    /// Commands that are sent before the first one's answer.
    static let pipelineDepth = 32

    let device: String
    let timeoutMilliseconds: UInt64
    /// An answer is looked for so long before poll(2) waits for it.
    var spinMicroseconds: UInt64 {
        get { spin.load(ordering: .relaxed) }
        set { spin.store(newValue, ordering: .relaxed) }
    }
    private let spin = Atomic<UInt64>(0)
    /// No request waits beyond it, while the device is being reconnected.
    var latest: Deadline?
    /// What the server may read and write by messages of its own.
    private let memory: ClientMemory
    private let limits: MessageLimits
    private let socket: UnixSocket
    private var reader: MessageReader
    private var nextID: UInt16 = 0
    private var abandoned: Set<UInt16> = []
    /// Requests of ``requestEach(_:_:)`` that are under way, and replies that came before their turn.
    private var inFlight: Set<UInt16> = []
    private var early: [UInt16: IncomingMessage] = [:]
    private let gone = Mutex<String?>(nil)
    /// Why the connection is of no more use; nil while it is.
    private var goneReason: String? { gone.withLock { $0 } }
    /// Held for a request and its answer, by every call that other threads may make.
    private let turn = Mutex(())

    init(
        device: String, socket: consuming UnixSocket, memory: ClientMemory, limits: MessageLimits = MessageLimits(),
        timeoutMilliseconds: UInt64
    ) {
        self.device = device
        self.socket = socket
        self.memory = memory
        self.limits = limits
        self.timeoutMilliseconds = timeoutMilliseconds
        reader = MessageReader(limits: limits)
    }

    private var spinEnd: UInt64 { spinMicroseconds == 0 ? 0 : MonotonicClock.nanoseconds() &+ spinMicroseconds &* 1000 }

    private var deadline: Deadline {
        guard let latest else { return Deadline(afterMilliseconds: timeoutMilliseconds) }
        return Deadline(afterMilliseconds: min(timeoutMilliseconds, UInt64(latest.remainingMilliseconds)))
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
        let (deadline, spinEnd) = (self.deadline, self.spinEnd)
        let id = try ask(command, payload, descriptors, deadline)
        return try answer(to: id, of: command, deadline, spinEnd: spinEnd)
    }

    private func ask(_ command: Command, _ payload: [UInt8], _ descriptors: [Int32], _ deadline: Deadline) throws(DeviceError) -> UInt16 {
        let id = takeID()
        try send(
            OutgoingMessage(
                header: MessageHeader(id: id, command: command.rawValue, payloadByteCount: payload.count), payload: payload,
                descriptors: descriptors),
            of: command, deadline)
        return id
    }

    /// Sends several commands before it waits for the first answer, at most so many that neither side's buffer gets full.
    func requestEach(
        _ command: Command, _ requests: [(payload: [UInt8], descriptors: [Int32])]
    ) throws(DeviceError) -> [Result<Answer, SystemCallError>] {
        try takingTurns { () throws(DeviceError) in
            if let goneReason { throw DeviceError.gone(device: device, reason: goneReason) }
            defer { abandonAll() }
            var waiting: [UInt16] = []
            var answers: [Result<Answer, SystemCallError>] = []
            for index in 0..<requests.count + Self.pipelineDepth {
                if index < requests.count {
                    let id = try ask(command, requests[index].payload, requests[index].descriptors, deadline)
                    waiting.append(id)
                    inFlight.insert(id)
                }
                let due = index - Self.pipelineDepth + 1
                guard waiting.indices.contains(due) else { continue }
                answers.append(try answer(to: waiting[due], of: command, deadline, spinEnd: spinEnd))
                inFlight.remove(waiting[due])
            }
            return answers
        }
    }

    /// After a failure: replies to the others may still come.
    private func abandonAll() {
        abandoned.formUnion(inFlight.subtracting(early.keys))
        inFlight = []
        early = [:]
    }

    /// Sends a command that nobody answers.
    func post(_ command: Command, _ payload: [UInt8]) throws(DeviceError) {
        try takingTurns { () throws(DeviceError) in
            if let goneReason { throw DeviceError.gone(device: device, reason: goneReason) }
            let header = MessageHeader(id: takeID(), command: command.rawValue, payloadByteCount: payload.count, noReply: true)
            try send(OutgoingMessage(header: header, payload: payload), of: command, deadline)
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

    /// Lets the server see that nothing more comes, and its descriptors go.
    func hangUp(_ reason: String) {
        _ = giveUp(reason)
        socket.shutDown()
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
        if let message = early.removeValue(forKey: id) { return try judge(message, command) }
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
                if header.isReply, header.id == id { return try judge(message, command) }
                if header.isReply, inFlight.contains(header.id), early[header.id] == nil {
                    early[header.id] = message
                    continue
                }
                // The server may need our memory for its answer: as often as it likes, until the time is over.
                if !header.isReply, ClientMemory.isTransfer(header) {
                    if let reply = memory.answer(message, limits) { try send(reply, of: .dmaRead, deadline) }
                    if deadline.hasPassed { try waitForAnswer(to: id, of: command, deadline) }
                    continue
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
        guard message.header.command == command.rawValue else {
            throw violation("it answered \(command.name) with \(message.header.commandName)")
        }
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

    /// Servers have no other commands.
    private func refuse(_ header: MessageHeader, _ deadline: Deadline) throws(DeviceError) {
        guard !header.noReply else { return }
        let reply = OutgoingMessage(header: .refusal(of: header, .notSupported), payload: [])
        try send(reply, of: Command(rawValue: header.command) ?? .dmaRead, deadline)
    }
}

extension MessageHeader {
    /// The reply to a command that failed.
    static func refusal(of header: MessageHeader, _ errno: Errno) -> MessageHeader {
        MessageHeader(
            id: header.id, command: header.command, payloadByteCount: 0, isReply: true, isError: true, errno: UInt32(errno.rawValue))
    }
}
