/// A peer as this endpoint counts them. Valid for the endpoint's life.
@frozen public struct PeerID: Hashable, BitwiseCopyable, Sendable {
    public let index: UInt32
    @inlinable public init(index: UInt32) { self.index = index }
    /// Whoever sends, in receives; a sender that is in no table, in completions.
    @inlinable public static var any: PeerID { PeerID(index: .max) }
}

/// Messages with a tag and messages without one are matched apart.
public enum MessageSpace: UInt8, BitwiseCopyable, Sendable { case untagged, tagged }

/// How an operation is to be done. Bits 8 to 15 are the caller's own: a completion gives them back with the others.
public struct OperationOptions: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// A completion is wanted also if all goes well. Errors always complete.
    public static let completes = OperationOptions(rawValue: 1 << 0)
    /// The memory is the application's again when the call returns.
    public static let inject = OperationOptions(rawValue: 1 << 1)
    /// Complete when the receiver has the message, not when it is on its way.
    public static let delivery = OperationOptions(rawValue: 1 << 2)
    /// ``SendRequest/data`` goes along and arrives in the receiver's completion.
    public static let carriesData = OperationOptions(rawValue: 1 << 3)
    /// One buffer for several messages, one after the other, until less than ``TransportOptions/minimumMultiReceive`` is left.
    public static let multiReceive = OperationOptions(rawValue: 1 << 4)
    /// Received to be thrown away: no completion, whatever happens.
    static let discards = OperationOptions(rawValue: 1 << 5)
}

public struct SendRequest: BitwiseCopyable, Sendable {
    public var peer: PeerID
    public var space: MessageSpace
    public var tag: UInt64
    public var data: UInt64
    public var memory: ApplicationMemory
    /// The caller's, given back in the completion.
    public var context: UInt
    public var options: OperationOptions

    public init(
        to peer: PeerID, space: MessageSpace, tag: UInt64 = 0, data: UInt64 = 0, memory: ApplicationMemory, context: UInt = 0,
        options: OperationOptions = .completes
    ) {
        self.peer = peer
        self.space = space
        self.tag = tag
        self.data = data
        self.memory = memory
        self.context = context
        self.options = options
    }
}

public struct ReceiveRequest: BitwiseCopyable, Sendable {
    public var peer: PeerID
    public var space: MessageSpace
    public var tag: UInt64
    /// Bits of the tag that need not agree.
    public var ignore: UInt64
    public var memory: ApplicationMemory
    public var context: UInt
    public var options: OperationOptions

    public init(
        from peer: PeerID = .any, space: MessageSpace, tag: UInt64 = 0, ignore: UInt64 = 0, memory: ApplicationMemory, context: UInt = 0,
        options: OperationOptions = .completes
    ) {
        self.peer = peer
        self.space = space
        self.tag = tag
        self.ignore = ignore
        self.memory = memory
        self.context = context
        self.options = options
    }
}

/// Reading or writing a peer's registered memory.
public struct RemoteMemoryRequest: BitwiseCopyable, Sendable {
    public enum Direction: UInt8, BitwiseCopyable, Sendable { case read, write }
    public var direction: Direction
    public var peer: PeerID
    public var memory: ApplicationMemory
    /// Where in the peer's region, counted from its start.
    public var remoteOffset: UInt64
    /// The peer's name of the region.
    public var remoteKey: UInt64
    public var data: UInt64
    public var context: UInt
    public var options: OperationOptions

    public init(
        _ direction: Direction, peer: PeerID, memory: ApplicationMemory, remoteOffset: UInt64, remoteKey: UInt64, data: UInt64 = 0,
        context: UInt = 0, options: OperationOptions = .completes
    ) {
        self.direction = direction
        self.peer = peer
        self.memory = memory
        self.remoteOffset = remoteOffset
        self.remoteKey = remoteKey
        self.data = data
        self.context = context
        self.options = options
    }
}

/// What became of a call that posts an operation.
public enum Posting: Equatable, Sendable {
    case accepted
    /// No room now: make progress, then try again.
    case tryAgain
    case refused(TransportError)
}
