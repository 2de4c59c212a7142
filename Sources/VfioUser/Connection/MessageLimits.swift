import LinuxIO

/// What this side takes from a peer in one message, and says so in its VERSION message.
public struct MessageLimits: Equatable, Sendable {
    /// Data of one region access: the text's default. A peer makes us keep one message of this size, no more.
    public var maximumTransferByteCount = Int(Capabilities.defaultTransferByteCount)
    /// As many as the receive buffer of a socket's control data holds.
    public var maximumDescriptors = UnixSocket.maximumDescriptors

    public init() {}

    /// The largest message: a header, the longest head before data, and the data.
    public var maximumMessageByteCount: Int { MessageHeader.byteCount + 32 + maximumTransferByteCount }
}
