/// What a device can do at most, whatever it was opened with.
public struct PortCapabilities: Equatable, Sendable {
    /// Longest frame in bytes without FCS.
    public var longestFrameByteCount: Int
    public var queuePairCount: Int
    /// How many unicast addresses beside its own it can filter for.
    public var furtherUnicastCount: Int
    /// Can receive what is meant for others.
    public var receivesPromiscuously: Bool
    /// Puts IPv4, TCP and UDP checksums into frames on their way out.
    public var insertsChecksums: Bool
    /// Says of received frames which checksums are right.
    public var verifiesChecksums: Bool

    public init(
        longestFrameByteCount: Int, queuePairCount: Int, furtherUnicastCount: Int, receivesPromiscuously: Bool = true,
        insertsChecksums: Bool, verifiesChecksums: Bool
    ) {
        self.longestFrameByteCount = longestFrameByteCount
        self.queuePairCount = queuePairCount
        self.furtherUnicastCount = furtherUnicastCount
        self.receivesPromiscuously = receivesPromiscuously
        self.insertsChecksums = insertsChecksums
        self.verifiesChecksums = verifiesChecksums
    }
}
