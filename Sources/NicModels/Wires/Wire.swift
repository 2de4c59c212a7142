public import DeviceMemory

/// What a NIC model's cable leads to. Frames are Ethernet frames without FCS, 14…`maximumFrameByteCount` bytes.
/// One thread, the model's, uses an end.
public protocol Wire: AnyObject {
    /// Sends a copy of the frame to whoever listens; a full listener drops it, counted. Never blocks. Who looks sees it at once; who
    /// sleeps is woken by ``flush()``.
    /// - Parameter frame: exactly the frame's bytes.
    func send(_ frame: MemoryWindow)
    /// Ends a batch of frames: those who sleep are woken.
    func flush()

    /// The frame that has waited longest, nil if none. The window may be memory that others can write: its length was
    /// judged, its bytes were not. Valid until ``dropReceived()``.
    func nextReceived() -> MemoryWindow?
    /// Done with the frame that ``nextReceived()`` showed.
    func dropReceived()

    /// Tells other ends which unicast address this one wants, so that they need not copy what it would drop.
    /// nil: everything. A hint: the model filters again.
    /// - Parameter unicast: 48 bits, the first byte on the wire on top, as people write addresses.
    func announceFilter(unicast: UInt64?)

    /// Whether the cable leads anywhere: the model's link state.
    var hasCarrier: Bool { get }

    /// Asks for a wake-up: a descriptor that becomes readable after a frame arrives. Look once more after arming.
    func armWake() -> Int32?
    func disarmWake()

    var counters: WireCounters { get }
}

/// What one end of a wire counted.
public struct WireCounters: Equatable, Sendable {
    public var sentFrames: UInt64 = 0
    public var receivedFrames: UInt64 = 0
    /// Copies that did not fit into a listener's ring.
    public var droppedFull: UInt64 = 0
    /// Frames that the kernel did not take, or that came back as undeliverable: the interface is down, nobody listens.
    public var droppedRefused: UInt64 = 0
    /// Received entries whose length or place was impossible.
    public var droppedDamaged: UInt64 = 0
    public init() {}
}

/// The largest frame that any wire carries, bytes without FCS: the 82574L's jumbo limit of 9018 less 4.
public let wireMaximumFrameByteCount = 9014
