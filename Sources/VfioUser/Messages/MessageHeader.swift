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
        let size = bytes.field32(at: 4)
        guard size >= UInt32(byteCount), size <= UInt32(clamping: maximumMessageByteCount) else {
            throw .field(message: "a header", name: "message size", value: UInt64(size))
        }
        let flags = bytes.field32(at: 8)
        guard flags & typeMask <= replyType, flags & ~(typeMask | noReplyFlag | errorFlag) == 0 else {
            throw .field(message: "a header", name: "flags", value: UInt64(flags))
        }
        return MessageHeader(
            id: bytes.field16(at: 0), command: bytes.field16(at: 2), payloadByteCount: Int(size) - byteCount,
            isReply: flags & typeMask == replyType, noReply: flags & noReplyFlag != 0, isError: flags & errorFlag != 0,
            errno: bytes.field32(at: 12))
    }

    public func emit() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(messageByteCount))
        bytes.append16(id)
        bytes.append16(command)
        bytes.append32(messageByteCount)
        bytes.append32(
            (isReply ? MessageHeader.replyType : 0) | (noReply ? MessageHeader.noReplyFlag : 0) | (isError ? MessageHeader.errorFlag : 0))
        bytes.append32(errno)
        return bytes
    }

    public var payloadByteCount: Int { Int(messageByteCount) - MessageHeader.byteCount }
    /// The command's name, or its number if nobody knows it.
    public var commandName: String { Command(rawValue: command)?.name ?? "command \(command)" }
}
