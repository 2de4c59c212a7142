/// The end of an operation.
public struct Completion: BitwiseCopyable, Sendable {
    public enum Kind: UInt8, BitwiseCopyable, Sendable {
        case send, receive, read, write
        /// Atomic accesses, with the old values and without.
        case fetch, update
        /// A peer wrote into a region here and sent data along, or ``TransportOptions/reportsAccesses`` asks for it. The tag is the
        /// region's key.
        case remoteWrite
        /// A peer has read a region here, if ``TransportOptions/reportsAccesses`` asks for it. The tag is the region's key.
        case remoteRead
        /// What a peek found.
        case peek
    }

    public var kind: Kind
    public var space: MessageSpace
    /// The last of a ``OperationOptions/multiReceive`` buffer: it is the application's again.
    public var releasesBuffer = false
    public var carriesData = false
    /// Of the request, both.
    public var context: UInt
    public var options: OperationOptions = []
    public var peer: PeerID
    /// Bytes that arrived, or were sent.
    public var byteCount: Int
    /// Bytes of the message that had no room.
    public var truncatedByteCount = 0
    /// Where the message lies, in ``OperationOptions/multiReceive`` buffers.
    public var address: UInt = 0
    public var tag: UInt64 = 0
    public var data: UInt64 = 0
    /// nil: all went well.
    public var error: TransportError?

    init(kind: Kind, space: MessageSpace, context: UInt, peer: PeerID, byteCount: Int, error: TransportError? = nil) {
        self.kind = kind
        self.space = space
        self.context = context
        self.peer = peer
        self.byteCount = byteCount
        self.error = error
    }
}

/// Why an operation failed.
public enum TransportError: UInt8, Error, BitwiseCopyable, Sendable {
    /// The message was longer than the receive's memory; what fitted is there.
    case truncated = 1
    case canceled
    /// The peer is dead, silent for too long, or broke the protocol.
    case peerFailed
    /// No message matches a peek.
    case noMessage
    /// The peer refused access to its memory: unknown key, outside of the region, or not allowed.
    case remoteAccess
    /// More than there is room for: an injected message longer than ``MessageEndpoint/injectLimit``.
    case tooLong
    case unknownPeer
    /// The endpoint's port failed.
    case portFailed
}
