/// What an endpoint counted since it was made.
public struct TransportCounters: Equatable, BitwiseCopyable, Sendable {
    public var messagesSent: UInt64 = 0, bytesSent: UInt64 = 0
    public var messagesReceived: UInt64 = 0, bytesReceived: UInt64 = 0
    public var eagerSent: UInt64 = 0, rendezvousSent: UInt64 = 0
    public var unexpectedMessages: UInt64 = 0
    /// Most unexpected bytes at once.
    public var unexpectedBytesPeak: UInt64 = 0
    public var framesSent: UInt64 = 0, framesReceived: UInt64 = 0
    public var acknowledgementsSent: UInt64 = 0, acknowledgementsReceived: UInt64 = 0
    public var retransmittedFrames: UInt64 = 0, fastRetransmits: UInt64 = 0, timeouts: UInt64 = 0
    public var duplicateFrames: UInt64 = 0, reorderedFrames: UInt64 = 0
    /// Not for this endpoint: another job's, another life's, another protocol's.
    public var foreignFrames: UInt64 = 0
    /// For this endpoint and wrong: lengths, checksums, offsets, identifiers.
    public var malformedFrames: UInt64 = 0
    /// Nothing could be sent for lack of credits.
    public var creditStalls: UInt64 = 0
    public var failedPeers: UInt64 = 0
    public var readsServed: UInt64 = 0, writesServed: UInt64 = 0, atomicsServed: UInt64 = 0, accessesRefused: UInt64 = 0
    public init() {}
}
