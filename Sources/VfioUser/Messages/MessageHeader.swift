/// The 16 bytes before every message. "Header".
///
///     0  message id    2  command    4  message size, header included    8  flags    12  error
public struct MessageHeader: Equatable, Sendable {
    public static let byteCount = 16

    public var id: UInt16
    /// As sent: a command that nobody knows is answered too.
    public var command: UInt16
    /// Of the whole message, header included, in bytes.
    public var messageByteCount: UInt32
    public var isReply: Bool
    /// The sender of a command wants no answer.
    public var noReply: Bool
    public var isError: Bool
    /// errno of a failed command; may be zero even then.
    public var errno: UInt32

    public init(
        id: UInt16, command: UInt16, payloadByteCount: Int, isReply: Bool = false, noReply: Bool = false, isError: Bool = false,
        errno: UInt32 = 0
    ) {
        self.id = id
        self.command = command
        messageByteCount = UInt32(clamping: payloadByteCount + MessageHeader.byteCount)
        self.isReply = isReply
        self.noReply = noReply
        self.isError = isError
        self.errno = errno
    }

    private static let replyType: UInt32 = 1
    private static let typeMask: UInt32 = 0xf
    private static let noReplyFlag: UInt32 = 1 << 4
    private static let errorFlag: UInt32 = 1 << 5

    /// - Parameter maximumMessageByteCount: a message that claims more is refused before any of it is read.
    public static func parse(_ bytes: [UInt8], maximumMessageByteCount: Int) throws(MessageError) -> MessageHeader {
        try requireLength(bytes, byteCount, of: "a header")
        return try parse(bytes, at: 0, maximumMessageByteCount: maximumMessageByteCount)
    }

    /// The same of bytes that begin at `start` and may go on behind the header.
    static func parse(_ bytes: [UInt8], at start: Int, maximumMessageByteCount: Int) throws(MessageError) -> MessageHeader {
        let size = bytes.field32(at: start + 4)
        guard size >= UInt32(byteCount), size <= UInt32(clamping: maximumMessageByteCount) else {
            throw .field(message: "a header", name: "message size", value: UInt64(size))
        }
        let flags = bytes.field32(at: start + 8)
        guard flags & typeMask <= replyType, flags & ~(typeMask | noReplyFlag | errorFlag) == 0 else {
            throw .field(message: "a header", name: "flags", value: UInt64(flags))
        }
        return MessageHeader(
            id: bytes.field16(at: start), command: bytes.field16(at: start + 2), payloadByteCount: Int(size) - byteCount,
            isReply: flags & typeMask == replyType, noReply: flags & noReplyFlag != 0, isError: flags & errorFlag != 0,
            errno: bytes.field32(at: start + 12))
    }

    public func emit() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: MessageHeader.byteCount)
        emit(into: &bytes)
        return bytes
    }

    /// Writes the first 16 of the bytes.
    func emit(into bytes: inout [UInt8]) {
        let flags =
            (isReply ? MessageHeader.replyType : 0) | (noReply ? MessageHeader.noReplyFlag : 0) | (isError ? MessageHeader.errorFlag : 0)
        bytes.store(id, at: 0)
        bytes.store(command, at: 2)
        bytes.store(messageByteCount, at: 4)
        bytes.store(flags, at: 8)
        bytes.store(errno, at: 12)
    }

    public var payloadByteCount: Int { Int(messageByteCount) - MessageHeader.byteCount }
    /// The command's name, or its number if nobody knows it.
    public var commandName: String { Command(rawValue: command)?.name ?? "command \(command)" }
}
