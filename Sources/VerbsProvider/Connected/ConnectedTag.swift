/// The tag of a message between two connected queue pairs: where it goes, where it comes from, what it is.
///
///     bits  0–23  sender's queue pair
///     bits 24–47  receiver's queue pair
///     bits 48–50  ``ConnectedFlags``
struct ConnectedTag: Equatable, BitwiseCopyable {
    let word: UInt64
    /// Bits that a receive does not look at.
    static let ignored: UInt64 = 0xffff << 48
    private static let mask: UInt64 = 0xff_ffff

    init(word: UInt64) { self.word = word }
    init(from source: UInt32, to target: UInt32, flags: ConnectedFlags = []) {
        word = UInt64(source) & Self.mask | (UInt64(target) & Self.mask) << 24 | UInt64(flags.rawValue) << 48
    }

    var source: UInt32 { UInt32(truncatingIfNeeded: word & Self.mask) }
    var target: UInt32 { UInt32(truncatingIfNeeded: word >> 24 & Self.mask) }
    /// A peer's: those that mean nothing are left out.
    var flags: ConnectedFlags { ConnectedFlags(rawValue: UInt8(truncatingIfNeeded: word >> 48)).intersection(.known) }
}

struct ConnectedFlags: OptionSet, BitwiseCopyable, Sendable {
    let rawValue: UInt8
    static let immediate = ConnectedFlags(rawValue: 1 << 0)
    /// No message of its own: it tells of a write that has ended.
    static let write = ConnectedFlags(rawValue: 1 << 1)
    static let solicited = ConnectedFlags(rawValue: 1 << 2)
    static let known: ConnectedFlags = [.immediate, .write, .solicited]
}

/// Names a work request to the transport, which gives it back.
///
///     bits  0–31  position in the queue
///     bits 32–55  queue pair
///     bit     62  a question (``PeerReadiness``); the position is its turn
///     bit     63  a receive
struct WorkName: Equatable, BitwiseCopyable {
    let word: UInt
    private static let questionBit: UInt = 1 << 62
    private static let receiveBit: UInt = 1 << 63

    init(word: UInt) { self.word = word }
    init(queuePair: UInt32, position: UInt32, isReceive: Bool) {
        word = UInt(position) | UInt(queuePair) << 32 | (isReceive ? Self.receiveBit : 0)
    }

    init(queuePair: UInt32, turn: UInt32) { word = UInt(turn) | UInt(queuePair) << 32 | Self.questionBit }

    var position: UInt32 { UInt32(truncatingIfNeeded: word) }
    var queuePair: UInt32 { UInt32(truncatingIfNeeded: word >> 32) & 0xff_ffff }
    var isReceive: Bool { word & Self.receiveBit != 0 }
    var isQuestion: Bool { word & Self.questionBit != 0 }
}
