import NicDriver

/// A queue of a peer, linked through its elements.
struct LinkedQueue: BitwiseCopyable {
    var first: UInt32 = .max
    var last: UInt32 = .max
    var isEmpty: Bool { first == .max }
    var firstOrNil: UInt32? { first == .max ? nil : first }
}

/// What waits for a peer's window, in the order of precedence.
enum QueueKind: BitwiseCopyable { case controls, messages, bulk }

/// Where the payload of an eager message that is coming in goes.
enum InboundTarget: UInt8, BitwiseCopyable {
    case none
    /// A receive operation, by index.
    case receive
    /// An unexpected message, by index.
    case unexpected
    /// Nowhere: a write that was refused.
    case nowhere
}

/// Everything about one peer.
struct Peer: BitwiseCopyable {
    let address: EndpointAddress
    var template: FrameTemplate
    /// False: nothing can go yet, the router has not answered.
    var hasNextHop = true
    let window: PeerWindow
    var cookie: UInt64 = .max
    var hasFailed = false

    // Sending.
    /// The next frame's number. Starts anywhere, so that its wrap is an ordinary event (``firstSequence(from:to:)``).
    var nextSequence: UInt32
    /// The first number that is not acknowledged.
    var oldest: UInt32
    /// ``oldest`` at the end of a peer that has failed.
    var acknowledgedWhenFailed: UInt32 = 0
    /// Of all frames that are not acknowledged.
    var bytesInFlight = 0
    var congestion = CongestionWindow()
    /// Answers and requests for memory go first, then messages, then bulk data.
    var controls = LinkedQueue(), messages = LinkedQueue(), bulk = LinkedQueue()
    /// Whose turn it was last.
    var bulkGoesFirst = false
    /// Credits: what was sent in all and what may be, modulo 2³².
    var bytesCharged: UInt32 = 0, byteCredit: UInt32
    var messagesCharged: UInt32 = 0, messageCredit: UInt32
    var requests = RequestLimit()
    /// Something waits for credits alone.
    var isStalled = false
    var roundTrip: RoundTrip
    /// When the timer ran out last, while frames from before are unacknowledged; 0: they are not.
    var timedOutAt: UInt64 = 0
    /// When the oldest frame is sent again, or a stalled peer asked again.
    var retransmitAt: UInt64 = .max
    var heardAt: UInt64
    /// Since when it owes an acknowledgement or credits.
    var owingSince: UInt64

    /// Frames have gone to it or come from it, or a receive waits for it alone: its death concerns us.
    var matters = false
    /// It answers also while its application computes.
    var answersAlone = false
    /// When it was asked for a sign of life first, since it was heard last; 0: it was not.
    var askedAt: UInt64 = 0

    // Receiving.
    /// The next number in turn.
    var expected: UInt32
    /// Bit n: the frame n + 1 behind the expected one is here.
    var earlyFrames: UInt64 = 0
    /// Frames since the last acknowledgement.
    var acknowledgementsOwed: UInt32 = 0
    var acknowledgeAt: UInt64 = .max
    var shallAcknowledgeNow = false
    /// Credits: what came in all, what was used up here, and what was granted, modulo 2³².
    var bytesArrived: UInt32 = 0, bytesConsumed: UInt32 = 0, bytesGranted: UInt32
    var messagesArrived: UInt32 = 0, messagesGranted: UInt32
    /// What the peer was told last of both.
    var bytesTold: UInt32, messagesTold: UInt32
    /// The frame in turn is here and could not be delivered: it waits in the window.
    var holdsExpected = false
    /// The eager message that is coming in.
    var inbound = InboundTarget.none
    var inboundIndex: UInt32 = .max
    var inboundByteCount = 0, inboundTotal = 0
    /// The write that goes nowhere: its sender is told when all of it has come, since until then it is busy sending.
    var refusedWrite = OperationName(word: 0)

    // Lists of the endpoint.
    var nextAttention: UInt32 = .max
    var needsAttention = false
    var isTimed = false

    init(address: EndpointAddress, local: EndpointAddress, nextHop: MACAddress?, options: TransportOptions, now: UInt64) {
        self.address = address
        template = FrameTemplate(from: local, to: address, nextHop: nextHop ?? .broadcast)
        hasNextHop = nextHop != nil
        window = PeerWindow()
        nextSequence = Self.firstSequence(from: local.key, to: address.key)
        oldest = nextSequence
        expected = Self.firstSequence(from: address.key, to: local.key)
        roundTrip = RoundTrip(options: options)
        byteCredit = options.byteCredit
        bytesGranted = options.byteCredit
        bytesTold = options.byteCredit
        messageCredit = options.messageCredit
        messagesGranted = options.messageCredit
        messagesTold = options.messageCredit
        heardAt = now
        owingSince = now
    }

    /// Both ends know it without asking.
    static func firstSequence(from source: UInt64, to target: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: source >> 32 ^ target)
    }

    subscript(kind: QueueKind) -> LinkedQueue {
        get {
            switch kind {
            case .controls: controls
            case .messages: messages
            case .bulk: bulk
            }
        }
        set {
            switch kind {
            case .controls: controls = newValue
            case .messages: messages = newValue
            case .bulk: bulk = newValue
            }
        }
    }

    var inFlight: UInt32 { nextSequence &- oldest }
    var hasEarlyFrames: Bool { holdsExpected || earlyFrames != 0 }
    var byteRoom: UInt32 { byteCredit &- bytesCharged }
    var hasSomethingToSend: Bool { !controls.isEmpty || !messages.isEmpty || !bulk.isEmpty || !requests.reads.isEmpty }
}
