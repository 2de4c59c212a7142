/// The name of an operation in frames: index and generation, so that a late or wild one is told from the right one.
struct OperationName: Equatable, BitwiseCopyable {
    let word: UInt64
    private static let receiveBit: UInt64 = 1 << 63

    init(word: UInt64) { self.word = word }
    init(send index: UInt32, generation: UInt32) { word = UInt64(index) | UInt64(generation & 0x7fff_ffff) << 32 }
    init(receive index: UInt32, generation: UInt32) { word = Self.receiveBit | UInt64(index) | UInt64(generation & 0x7fff_ffff) << 32 }

    var index: UInt32 { UInt32(truncatingIfNeeded: word) }
    var generation: UInt32 { UInt32(truncatingIfNeeded: word >> 32) & 0x7fff_ffff }
    var isReceive: Bool { word & Self.receiveBit != 0 }
}

/// A message, a write or the answer to a read that is on its way out.
struct SendOperation: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable { case message, write, reply, atomic }
    enum Stage: UInt8, BitwiseCopyable {
        /// Nothing of it was sent.
        case waiting
        /// Some eager frames of it were sent.
        case eager
        /// The receiver knows of it and has not asked for it.
        case requested
        /// The receiver asked for it.
        case granted
        /// All was sent; the outcome is awaited.
        case awaitingOutcome
    }

    var kind: Kind
    var stage = Stage.waiting
    var space: MessageSpace
    var options: OperationOptions
    var peer: UInt32
    var next: UInt32 = .max
    var generation: UInt32 = 0
    var tag: UInt64 = 0
    var data: UInt64
    var memory: ApplicationMemory
    var context: UInt
    /// The copy of an injected message that had to wait.
    var block = BlockCache.Block.empty
    var remoteKey: UInt64 = 0
    var remoteOffset: UInt64 = 0
    var remoteOperation = OperationName(word: 0)
    /// Of an answer to a read: the key of the region that it comes from.
    var regionKey: UInt64?
    var sentByteCount = 0
    var grantedByteCount = 0
    var acknowledgedByteCount = 0

    init(_ request: SendRequest) {
        kind = .message
        space = request.space
        options = request.options
        peer = request.peer.index
        tag = request.tag
        data = request.data
        memory = request.memory
        context = request.context
    }

    init(_ request: RemoteMemoryRequest) {
        kind = .write
        space = .untagged
        options = request.options
        peer = request.peer.index
        data = request.data
        memory = request.memory
        context = request.context
        remoteKey = request.remoteKey
        remoteOffset = request.remoteOffset
    }

    /// An atomic access: what its frame says. `answer` is what ends, and it has no end of its own.
    init(_ request: AtomicRequest, block: BlockCache.Block, answer: OperationName) {
        kind = .atomic
        space = .untagged
        options = []
        peer = request.peer.index
        tag = UInt64(request.count)
        data = request.access.word
        memory = block.memory
        context = 0
        self.block = block
        remoteKey = request.remoteKey
        remoteOffset = request.remoteOffset
        remoteOperation = answer
    }

    /// The answer to a read.
    init(reply memory: ApplicationMemory, to operation: OperationName, of peer: UInt32) {
        kind = .reply
        stage = .granted
        space = .untagged
        options = []
        self.peer = peer
        data = 0
        self.memory = memory
        context = 0
        remoteOperation = operation
        grantedByteCount = memory.byteCount
    }

    var firstFrame: FrameKind {
        switch kind {
        case .message, .reply: .message
        case .write: .write
        case .atomic: .atomic
        }
    }

    var flags: FrameFlags {
        var flags: FrameFlags = space == .tagged ? .tagged : []
        if options.contains(.carriesData) { flags.insert(.carriesData) }
        return flags
    }
}

/// Memory that waits for a message, or gets one.
struct ReceiveOperation: BitwiseCopyable {
    /// `fetch` and `update` wait for the end of an atomic access, with old values and without.
    enum Kind: UInt8, BitwiseCopyable { case receive, read, write, fetch, update }

    var kind = Kind.receive
    var completionKind: Completion.Kind {
        switch kind {
        case .receive, .write: .receive
        case .read: .read
        case .fetch: .fetch
        case .update: .update
        }
    }
    /// Waits for an outcome, or for bytes that were asked for.
    var awaitsAnswer: Bool { kind == .read || kind == .fetch || kind == .update }
    /// A message or an answer belongs to it: it is in no list of waiting ones.
    var isMatched = false
    /// Its source was asked for the bytes or the answer: only then may frames name it.
    var isAsked = false
    var generation: UInt32 = 0
    var next: UInt32 = .max
    var previous: UInt32 = .max
    var request: ReceiveRequest
    /// Whose message it gets.
    var source: UInt32 = .max
    var tag: UInt64 = 0
    var data: UInt64 = 0
    var carriesData = false
    /// Of a peer's write: the region's key, and who waits for the outcome.
    var regionKey: UInt64?
    var sender: OperationName?
    /// Bytes of the message, of these wanted, and here.
    var totalByteCount = 0
    var expectedByteCount = 0
    var receivedByteCount = 0

    /// The buffer for several messages of which this is a part.
    var parent: UInt32 = .max
    /// Of such a buffer: bytes that are taken, messages that are still coming in, whether it takes more.
    var usedByteCount = 0
    var openParts = 0
    var isClosed = false

    init(_ request: ReceiveRequest) { self.request = request }

    /// - Parameter peer: whose frame it is.
    func matches(peer: UInt32, tag: UInt64) -> Bool {
        (request.peer.index == peer || request.peer == .any) && (request.tag ^ tag) & ~request.ignore == 0
    }
}

/// A message that came before its receive.
struct UnexpectedMessage: BitwiseCopyable {
    var next: UInt32 = .max
    var previous: UInt32 = .max
    let space: MessageSpace
    let peer: UInt32
    let tag: UInt64
    let data: UInt64
    let carriesData: Bool
    let totalByteCount: Int
    /// Holds an eager one.
    let block: BlockCache.Block
    /// Names one that waits to be asked for.
    let sender: OperationName?
    var receivedByteCount = 0
    /// The receive that took it before all of it was here.
    var receive: UInt32 = .max
    /// Set aside by a peek, for the receive with this context.
    var claim: UInt?

    var isWhole: Bool { sender == nil && receivedByteCount == totalByteCount }
}

/// A small frame that waits for the window.
struct ControlFrame: BitwiseCopyable {
    var next: UInt32 = .max
    let kind: FrameKind
    /// What stands from byte 80 on.
    let words: (UInt64, UInt64, UInt64, UInt64)
}
