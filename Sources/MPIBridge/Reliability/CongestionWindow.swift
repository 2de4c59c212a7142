/// How many frames may be on their way to a peer: fewer after a loss, slowly more while all goes well (RFC 5681 §3.1, additive
/// increase and multiplicative decrease), since what drops frames here is a ring or a switch that is full.
struct CongestionWindow: BitwiseCopyable {
    private(set) var frames: UInt32 = PeerWindow.size
    /// Acknowledged since the last growth.
    private var acknowledged: UInt32 = 0
    /// Losses of frames before this one belong to an event that was answered.
    private var answeredBefore: UInt32?

    private static let least: UInt32 = 8

    /// - Parameter oldest: the first frame that is not acknowledged.
    mutating func advanced(by count: UInt32, to oldest: UInt32) {
        // Numbers wrap: what is over must not be compared with them later.
        if let answered = answeredBefore, Int32(bitPattern: oldest &- answered) >= 0 { answeredBefore = nil }
        acknowledged &+= count
        guard frames < PeerWindow.size, acknowledged >= frames else { return }
        acknowledged = 0
        frames &+= 1
    }

    /// - Parameters: the lost frame's number, and the next one's that will be sent.
    mutating func lost(_ sequence: UInt32, next: UInt32) {
        if let answeredBefore, Int32(bitPattern: sequence &- answeredBefore) < 0 { return }
        answeredBefore = next
        acknowledged = 0
        frames = max(Self.least, frames / 2)
    }
}
