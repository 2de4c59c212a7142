/// How a port is opened.
public struct PortOptions: Sendable {
    /// Descriptors of each ring: a power of two, 64…4096.
    public var receiveRingSize = 512
    public var transmitRingSize = 512
    /// Packets that the owner may hold on top of what the rings hold.
    public var sparePackets = 512
    /// Largest frame in bytes without FCS: 1514, up to 9014 for jumbo frames.
    public var maximumFrameByteCount = 1514
    /// Receive and transmit queue pairs; the device must have as many.
    public var queuePairCount = 1
    /// What ``QueuePair/waitForReceive(timeoutMilliseconds:)`` does.
    public var wait = WaitMode.poll
    /// At least so many microseconds between two interrupts; 0: no throttling.
    public var interruptIntervalMicroseconds = 0
    /// How long to wait for the link.
    public var linkTimeoutMilliseconds: UInt64 = 5000
    /// Show counters to other processes (`unic top`), in a file of /dev/shm.
    public var publishesStatistics = false
    /// Where packet memory comes from.
    public var memory = MemoryPreference.hugepagesIfThere
    /// A device without an IOMMU may be used, with no isolation, if nothing else serves it.
    public var allowsNoIOMMU = false
    /// The most queue pairs that any family has.
    public static let queuePairLimit = 8
    public init() {}

    public enum MemoryPreference: Sendable { case hugepagesIfThere, hugepagesOnly, ordinaryPages }

    /// How a queue pair waits for frames.
    public enum WaitMode: Equatable, Sendable {
        /// Looks again and again: lowest latency, one core busy.
        case poll
        /// Sleeps until the queue's interrupt.
        case interrupt
        /// Looks for so long, then sleeps until the queue's interrupt.
        case adaptive(spinMicroseconds: Int)

        /// Whether the device has to interrupt.
        public var usesInterrupts: Bool { self != .poll }
    }
}

/// Which destination addresses are received beside the port's own and broadcast.
public struct ReceiveFilter: Equatable, Sendable {
    public var isPromiscuous = false
    public var acceptsAllMulticast = false
    public var multicast: [MACAddress] = []
    /// Further unicast addresses, at most 15 on the 82574L.
    public var unicast: [MACAddress] = []
    public init() {}
}
