import LinuxIO
import SystemPackage

/// A message as it came: the header is judged, the payload is not.
struct IncomingMessage {
    var header: MessageHeader
    var payload: [UInt8]
    var descriptors: [ReceivedDescriptor]

    /// One descriptor out of the list; nil when there is none or it is taken.
    func takeDescriptor(_ index: Int = 0) -> OwnedDescriptor? {
        descriptors.indices.contains(index) ? descriptors[index].take() : nil
    }
}

/// Puts messages together from a socket, however the bytes come: small ones by one receive each, or several by one.
///
/// Whose descriptors are they? A peer gives each message to the kernel by a call of its own, with the descriptors beside the
/// first byte, and the kernel ends a receive after bytes that had some (unix(7)). So those that come with a chunk are of the last
/// message that starts in it, or of the one that it continues if none does.
struct MessageReader {
    enum Step {
        case message(IncomingMessage)
        /// Nothing to read now, as far as is known: poll(2) has the last word.
        case wouldBlock
        /// `inside`: in the middle of a message.
        case closed(inside: Bool)
        /// The stream cannot be understood any more. `header` is there if it was read whole.
        case broken(reason: String, header: MessageHeader?)
    }

    /// Room for a few of the messages that carry a register's access.
    static let chunkByteCount = 256

    let limits: MessageLimits
    private var chunk = [UInt8](repeating: 0, count: MessageReader.chunkByteCount)
    /// Of the chunk's `filled` bytes so many are parts of messages that have begun.
    private var taken = 0
    private var filled = 0
    private var chunkDescriptors: [ReceivedDescriptor] = []
    private var descriptorsLost = false
    /// The last receive left nothing in the socket.
    private var isDrained = false
    /// The message that is put together, once its header is whole.
    private var header: MessageHeader?
    private var payload: [UInt8] = []
    private var payloadFilled = 0
    private var descriptors: [ReceivedDescriptor] = []

    init(limits: MessageLimits) { self.limits = limits }

    /// Whether bytes lie here that no step has looked at: poll(2) does not know of them.
    var holdsBytes: Bool { taken > 0 && taken < filled }

    /// Reads until a message is whole or the socket is empty.
    mutating func step(_ socket: borrowing UnixSocket) -> Step {
        do throws(SystemCallError) {
            while true {
                if let reason = assemble() { return .broken(reason: reason, header: header) }
                if let whole = takeWhole() { return .message(whole) }
                if isDrained {
                    isDrained = false
                    return .wouldBlock
                }
                switch try receive(socket) {
                case .wouldBlock: return .wouldBlock
                case .closed: return .closed(inside: header != nil || filled > 0)
                case .bytes(_, let lost): descriptorsLost = lost
                }
            }
        } catch {
            if error.errno == .connectionReset || error.errno == .brokenPipe { return .closed(inside: header != nil || filled > 0) }
            return .broken(reason: error.description, header: header)
        }
    }

    /// The rest of a long payload goes to its place; anything else to the chunk, behind what is left there.
    private mutating func receive(_ socket: borrowing UnixSocket) throws(SystemCallError) -> ReceiveOutcome {
        let outcome: ReceiveOutcome
        let room: Int
        if header != nil {
            room = payload.count - payloadFilled
            outcome = try socket.receive(into: &payload, from: payloadFilled, byteCount: room, descriptors: &chunkDescriptors)
            if case .bytes(let count, _) = outcome { payloadFilled += count }
        } else {
            for index in taken..<filled { chunk[index - taken] = chunk[index] }
            filled -= taken
            taken = 0
            room = chunk.count - filled
            outcome = try socket.receive(into: &chunk, from: filled, byteCount: room, descriptors: &chunkDescriptors)
            if case .bytes(let count, _) = outcome { filled += count }
        }
        if case .bytes(let count, let lost) = outcome { isDrained = count < room && chunkDescriptors.isEmpty && !lost }
        return outcome
    }

    /// Begins the next message of the chunk, if its header is there. Returns why the stream is broken, if it is.
    private mutating func assemble() -> String? {
        if header == nil, filled - taken >= MessageHeader.byteCount {
            do throws(MessageError) {
                let parsed = try MessageHeader.parse(chunk, at: taken, maximumMessageByteCount: limits.maximumMessageByteCount)
                let end = min(taken + Int(parsed.messageByteCount), filled)
                payload = Array(chunk[(taken + MessageHeader.byteCount)..<end])
                payloadFilled = payload.count
                if payloadFilled < parsed.payloadByteCount {
                    payload += repeatElement(0, count: parsed.payloadByteCount - payloadFilled)
                }
                taken = end
                header = parsed
            } catch {
                return error.description
            }
        }
        // While there is more in the chunk than this message and half a header, they are a later one's.
        let isLast = taken == filled || header == nil
        return isLast ? adoptDescriptors() : nil
    }

    private mutating func adoptDescriptors() -> String? {
        if !chunkDescriptors.isEmpty {
            descriptors += chunkDescriptors
            chunkDescriptors = []
        }
        guard !descriptorsLost, descriptors.count <= limits.maximumDescriptors else {
            return "a message came with more descriptors than \(limits.maximumDescriptors), or than this process may open"
        }
        return nil
    }

    private mutating func takeWhole() -> IncomingMessage? {
        guard let header, payloadFilled == payload.count else { return nil }
        defer {
            self.header = nil
            payload = []
            payloadFilled = 0
            descriptors = []
        }
        return IncomingMessage(header: header, payload: payload, descriptors: descriptors)
    }

    /// The header's raw identification, for an answer to a message whose header is no good.
    var brokenHeader: (id: UInt16, command: UInt16)? {
        if let header { return (header.id, header.command) }
        return filled - taken >= MessageHeader.byteCount ? (chunk.field16(at: taken), chunk.field16(at: taken + 2)) : nil
    }
}
