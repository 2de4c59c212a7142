/// A frame that was sent and is not acknowledged yet.
struct SentFrame: BitwiseCopyable {
    /// What it is made of again.
    enum Source: UInt8, BitwiseCopyable {
        /// It was acknowledged out of turn.
        case acknowledged
        /// ``slot`` holds it.
        case slot
        /// A piece of ``operation``'s memory.
        case bulk
        /// Such a piece that has arrived out of turn: it counts as delivered when its turn comes.
        case earlyBulk
    }

    var source: Source
    var wasRetransmitted = false
    /// A later frame's acknowledgement has shown it lost, and it was sent again for that.
    var wasFoundLost = false
    var byteCount: UInt16
    /// Of ``FrameSlots``.
    var slot: UInt32 = .max
    var operation: UInt32 = .max
    /// Of the bulk piece in its message.
    var offset: Int = 0
    var payloadByteCount: Int = 0
    var sentAt: UInt64

    /// Whether the peer has not told of it.
    var isMissing: Bool { source == .slot || source == .bulk }
}

/// What a peer's window holds: frames on their way to it, and frames from it that came too early.
@safe struct PeerWindow: BitwiseCopyable, @unchecked Sendable {
    /// Frames that may be unacknowledged: as many as a selective acknowledgement has bits.
    static let size: UInt32 = 64
    /// Of these, bulk data leaves so many to messages and answers.
    static let bulkSize: UInt32 = 56

    private let sent: UnsafeMutablePointer<SentFrame>
    private let early: UnsafeMutablePointer<UInt64>

    init() {
        // SAFETY: initialized right away; freed by the peer's owner.
        unsafe sent = .allocate(capacity: Int(Self.size))
        unsafe sent.initialize(repeating: SentFrame(source: .acknowledged, byteCount: 0, sentAt: 0), count: Int(Self.size))
        unsafe early = .allocate(capacity: Int(Self.size))
        unsafe early.initialize(repeating: 0, count: Int(Self.size))
    }

    /// No copy may be used afterwards.
    func free() {
        // SAFETY: allocated by init; the owner calls this once.
        unsafe sent.deallocate()
        unsafe early.deallocate()
    }

    /// The frame of this sequence number.
    subscript(sequence: UInt32) -> SentFrame {
        // SAFETY: (both) masked to the capacity.
        unsafeAddress { unsafe UnsafePointer(sent + Int(sequence & (Self.size &- 1))) }
        nonmutating unsafeMutableAddress { unsafe sent + Int(sequence & (Self.size &- 1)) }
    }

    /// The handle of a packet that came early; meaningful while the peer's ``Peer/earlyFrames`` has its bit.
    func earlyPacket(_ sequence: UInt32) -> UInt64 { unsafe early[Int(sequence & (Self.size &- 1))] }
    func setEarlyPacket(_ word: UInt64, _ sequence: UInt32) { unsafe early[Int(sequence & (Self.size &- 1))] = word }
}
