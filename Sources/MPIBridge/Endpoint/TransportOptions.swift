/// How an endpoint behaves. All times are nanoseconds.
public struct TransportOptions: Sendable {
    /// Longer messages go by rendezvous: the receiver asks for them when it has a place.
    public var eagerLimit = 16_384
    /// Operations that may be under way at once.
    public var sendCapacity = 4096
    public var receiveCapacity = 65_536
    /// Frames that are kept until they are acknowledged, all peers together.
    public var retainedFrames = 1024
    /// Bytes of unexpected messages, all peers together, at which peers get no further credits.
    public var unexpectedByteLimit = 64 << 20
    /// Unexpected messages, all peers together, beside the few that each may always send.
    public var unexpectedCapacity = 65_536
    public var peerCapacity = 16_384
    /// See ``OperationOptions/multiReceive``.
    public var minimumMultiReceive = 64
    /// A peer that owes acknowledgements and is not heard for so long has failed.
    public var peerTimeout: UInt64 = 120_000_000_000
    /// How long an acknowledgement waits for a frame to ride on.
    public var acknowledgementDelay: UInt64 = 20_000
    /// The first retransmission of a peer of which no round trip is known.
    public var firstTimeout: UInt64 = 2_000_000
    public var shortestTimeout: UInt64 = 500_000
    public var longestTimeout: UInt64 = 1_000_000_000
    /// Leads to peers of other networks; nil: every peer is on this one's.
    public var router: Router?
    /// Bytes of eager messages, and messages, that every peer may send before it has heard a word. The same at all endpoints: part
    /// of the protocol's version. Tests have less.
    package var byteCredit: UInt32 = 1 << 18
    package var messageCredit: UInt32 = 64
    /// Reads and writes that an endpoint may have under way with a peer.
    package var requestCredit: UInt32 = 16
    public init() {}

    public struct Router: Equatable, Sendable {
        public var ipv4: UInt32
        /// Ones for the bits that all addresses of this endpoint's network share.
        public var mask: UInt32

        /// - Parameter prefixLength: 0…32.
        public init(ipv4: UInt32, prefixLength: Int) {
            self.ipv4 = ipv4
            mask = prefixLength <= 0 ? 0 : .max << UInt32(max(0, 32 - prefixLength))
        }
    }
}
