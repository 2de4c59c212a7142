/// The frame of the transport, version 1: Ethernet II, IPv4 (RFC 791 §3.1), UDP (RFC 768), and behind them, little-endian:
///
///     byte 42     version 1
///     byte 43     kind
///     byte 44–45  flags
///     byte 46–47  zero
///     byte 48–55  key of the endpoint that it is for
///     byte 56–63  key of the sender
///     byte 64–67  sequence number of the frame
///     byte 68–71  acknowledgement: the sequence number that the sender expects next
///     byte 72–75  byte credit: bytes of eager messages that may be sent in all, modulo 2³²
///     byte 76–79  message credit: messages that may be sent in all, modulo 2³²
///     byte 80–    what the kind says
enum FrameLayout {
    static let currentVersion: UInt8 = 1
    static let version = 42, kind = 43, flags = 44, destinationKey = 48, sourceKey = 56
    static let sequence = 64, acknowledgement = 68, byteCredit = 72, messageCredit = 76
    static let fields = 80
    /// First byte behind the UDP header.
    static let datagram = 42
    /// IEEE 802.3: bytes of the shortest frame without FCS.
    static let shortestFrame = 60
}

/// What a frame is. Each one's fields stand from byte 80 on.
enum FrameKind: UInt8 {
    /// 80 selective acknowledgement: bit n, the frame n + 1 behind the acknowledged one has arrived. Not counted.
    case acknowledgement = 1
    /// 80 tag, 88 data, 96 byte count (32 bits), payload from 104: an eager message, or its beginning.
    case message = 2
    /// 80 offset (32 bits), payload from 88: more of the last eager message or write.
    case continuation = 3
    /// 80 tag, 88 data, 96 byte count, 104 sender's operation: a message that waits to be asked for.
    case request = 4
    /// 80 sender's operation, 88 receiver's, 96 byte count: so many bytes of it, please.
    case grant = 5
    /// 80 receiver's operation, 88 offset, payload from 96: bytes that were asked for.
    case bulk = 6
    /// 80 key, 88 offset, 96 data, 104 sender's operation, 112 byte count (32 bits), payload from 120: into registered memory.
    case write = 7
    /// 80 key, 88 offset, 96 data, 104 sender's operation, 112 byte count: a write that waits to be asked for.
    case writeRequest = 8
    /// 80 key, 88 offset, 96 byte count, 104 reader's operation: from registered memory.
    case read = 9
    /// 80 operation of the one it is sent to, 88 outcome: 0 done, else ``TransportError``.
    case outcome = 10
    /// The sender's endpoint ends. Not counted.
    case goodbye = 11
    /// 80 key, 88 offset, 96 ``AtomicAccess``, 104 requester's operation, 112 elements, payload from 120: operands, then comparands.
    case atomic = 12

    /// Where the kind's payload starts, or its fields end.
    var headerByteCount: Int {
        switch self {
        case .acknowledgement, .continuation: 88
        case .message, .grant: 104
        case .request, .read: 112
        case .bulk, .outcome: 96
        case .write, .writeRequest, .atomic: 120
        case .goodbye: 80
        }
    }

    var hasPayload: Bool {
        switch self {
        case .message, .continuation, .bulk, .write, .atomic: true
        default: false
        }
    }

    /// Whether it has a sequence number and is sent again until it is acknowledged.
    var isCounted: Bool { self != .acknowledgement && self != .goodbye }
}

struct FrameFlags: OptionSet, BitwiseCopyable {
    let rawValue: UInt16
    /// The sender waits for the acknowledgement.
    static let answerAtOnce = FrameFlags(rawValue: 1 << 0)
    static let tagged = FrameFlags(rawValue: 1 << 1)
    static let carriesData = FrameFlags(rawValue: 1 << 2)
    /// The sender answers also while its application computes, so that its silence is its death.
    static let answersAlone = FrameFlags(rawValue: 1 << 3)
    /// What frames of a kind may say.
    static func known(in kind: FrameKind) -> FrameFlags {
        kind == .acknowledgement ? [.answerAtOnce, .answersAlone] : [.answerAtOnce, .tagged, .carriesData]
    }
}
