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

/// Puts messages together from a socket, however the bytes come.
///
/// Never asks the socket for more than the rest of the current header or payload: a longer receive would glue messages
/// without descriptors to the next one with some, and nobody could tell whose they are.
struct MessageReader {
    enum Step {
        case message(IncomingMessage)
        case wouldBlock
        /// `inside`: in the middle of a message.
        case closed(inside: Bool)
        /// The stream cannot be understood any more. `header` is there if it was read whole.
        case broken(reason: String, header: MessageHeader?)
    }

    let limits: MessageLimits
    private var headerBytes = [UInt8](repeating: 0, count: MessageHeader.byteCount)
    private var headerFilled = 0
    private var header: MessageHeader?
    private var payload: [UInt8] = []
    private var payloadFilled = 0
    private var descriptors: [ReceivedDescriptor] = []

    init(limits: MessageLimits) { self.limits = limits }

    /// Reads until a message is whole or the socket is empty.
    mutating func step(_ socket: borrowing UnixSocket) -> Step {
        do throws(SystemCallError) {
            while true {
                if let whole = takeWhole() { return .message(whole) }
                let outcome =
                    header == nil
                    ? try socket.receive(
                        into: &headerBytes, from: headerFilled, byteCount: MessageHeader.byteCount - headerFilled, descriptors: &descriptors
                    )
                    : try socket.receive(
                        into: &payload, from: payloadFilled, byteCount: payload.count - payloadFilled, descriptors: &descriptors)
                switch outcome {
                case .wouldBlock: return .wouldBlock
                case .closed: return .closed(inside: headerFilled > 0)
                case .bytes(let count, let descriptorsLost):
                    if let reason = take(byteCount: count, descriptorsLost: descriptorsLost) {
                        return .broken(reason: reason, header: header)
                    }
                }
            }
        } catch {
            if error.errno == .connectionReset || error.errno == .brokenPipe { return .closed(inside: headerFilled > 0) }
            return .broken(reason: error.description, header: header)
        }
    }

    /// Accounts for what came. Returns why the stream is broken, if it is.
    private mutating func take(byteCount: Int, descriptorsLost: Bool) -> String? {
        if header != nil {
            payloadFilled += byteCount
        } else {
            headerFilled += byteCount
            if headerFilled == MessageHeader.byteCount {
                do throws(MessageError) {
                    let parsed = try MessageHeader.parse(headerBytes, maximumMessageByteCount: limits.maximumMessageByteCount)
                    header = parsed
                    payload = [UInt8](repeating: 0, count: parsed.payloadByteCount)
                    payloadFilled = 0
                } catch {
                    return error.description
                }
            }
        }
        if descriptorsLost || descriptors.count > limits.maximumDescriptors {
            return "a message came with more descriptors than \(limits.maximumDescriptors), or than this process may open"
        }
        return nil
    }

    private mutating func takeWhole() -> IncomingMessage? {
        guard let header, payloadFilled == payload.count else { return nil }
        defer {
            self.header = nil
            headerFilled = 0
            payload = []
            payloadFilled = 0
            descriptors = []
        }
        return IncomingMessage(header: header, payload: payload, descriptors: descriptors)
    }

    /// The header's raw identification, for an answer to a message whose header is no good.
    var brokenHeader: (id: UInt16, command: UInt16)? {
        headerFilled == MessageHeader.byteCount ? (headerBytes.field16(at: 0), headerBytes.field16(at: 2)) : nil
    }
}
