import MPIBridge

/// A whole run as it follows from its seed: who sends what to whom, who waits for what, and what goes wrong.
public struct Plan {
    public struct Message {
        let from: Int, to: Int
        let space: MessageSpace
        /// Tagged ones carry their number in the upper half.
        let tag: UInt64
        /// Untagged ones carry their number.
        let data: UInt64
        let byteCount: Int
        let options: OperationOptions
        let cuts: [Int]
    }

    /// What a receive or peek accepts.
    struct Filter {
        let space: MessageSpace
        let source: Int?
        let tag: UInt64
        let ignore: UInt64

        func matches(_ message: Message) -> Bool {
            message.space == space && (source == nil || source == message.from) && (message.tag ^ tag) & ~ignore == 0
        }
    }

    struct RemoteAccess {
        enum Fault { case none, unknownKey, outside, forbidden }
        let direction: RemoteMemoryRequest.Direction
        let to: Int
        let offset: UInt64
        let byteCount: Int
        let options: OperationOptions
        let data: UInt64
        let fault: Fault
        let cuts: [Int]
    }

    enum Action {
        case send(Int)
        case receive(Filter, byteCount: Int, cuts: [Int])
        case receiveMany(Filter, byteCount: Int)
        case look(Filter)
        case claim(Filter)
        case discard(Filter)
        /// Takes or throws away the oldest claim.
        case settleClaim(discards: Bool)
        case cancel
        case compute(UInt64)
        case access(RemoteAccess)
        case atomic(Atomic)

        var usesRegions: Bool {
            switch self {
            case .access, .atomic: true
            default: false
            }
        }
    }

    public let seed: UInt64
    public let rankCount: Int
    public var faults = NetworkFaults()
    public var shape = SimulatedPort.Shape()
    public var options = TransportOptions()
    /// All know each other's addresses before the first frame; else they learn of senders from frames.
    var isWired = true
    var keys: [UInt64] = []
    var messages: [Message] = []
    var scripts: [[Action]] = []
    var gap: ClosedRange<UInt64> = 0...10_000
    /// Between two calls of progress by a rank that polls.
    var pollPeriod: ClosedRange<UInt64> = 100...1_000
    /// A rank that ends without a word, and when.
    var death: (rank: Int, time: UInt64)?
    /// Virtual nanoseconds in which everything has to be over.
    var timeLimit: UInt64 = 600_000_000_000

    static let regionByteCount = 65_536
    static let readKey: UInt64 = 0x1111, writeKey: UInt64 = 0x2222

    func messageNumber(tag: UInt64, data: UInt64, space: MessageSpace) -> Int {
        Int(space == .tagged ? tag >> 32 : data & 0xffff_ffff)
    }
}
