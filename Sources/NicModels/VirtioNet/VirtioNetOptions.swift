import DeviceMemory
import NicRegisters
public import VirtioModel

/// What kind of virtio-net function a model is.
public struct VirtioNetOptions: Equatable, Sendable {
    /// Queue pairs, 1 to ``maximumPairs``; the driver begins with one and asks for more.
    public var pairs: Int
    /// Packed rings are offered, too.
    public var offersPackedRings: Bool
    /// Bytes of a frame without its Ethernet header.
    public var mtu: Int

    public static let maximumPairs = 8
    /// What the wires carry, less the Ethernet header.
    public static let maximumMTU = wireMaximumFrameByteCount - 14
    /// "Device configuration layout": a device's MTU is at least 68.
    public static let minimumMTU = 68

    public init(pairs: Int = 1, offersPackedRings: Bool = false, mtu: Int = VirtioNetOptions.maximumMTU) {
        precondition(pairs >= 1 && pairs <= VirtioNetOptions.maximumPairs, "a virtio-net model has 1 to 8 queue pairs")
        precondition(mtu >= VirtioNetOptions.minimumMTU && mtu <= VirtioNetOptions.maximumMTU, "an MTU that no wire carries")
        self.pairs = pairs
        self.offersPackedRings = offersPackedRings
        self.mtu = mtu
    }

    /// Descriptors of a queue at most. Each part of a ring then fits in one page, so that it is in one piece however the
    /// guest's pages lie.
    static let queueSize: UInt16 = 256

    /// The control queue's number if several pairs are negotiated; with one pair it is 2.
    var queueCount: Int { 2 * pairs + 1 }

    /// Nothing is offered that the model does not do.
    var features: VirtioFeatures {
        var features: VirtioFeatures = [
            .version1, .accessPlatform, .eventIndex, .indirectDescriptors, .ringReset, .checksum, .guestChecksum, .mtu, .mac,
            .mergeableBuffers, .status, .controlQueue, .controlReceive, .controlReceiveExtra, .guestAnnounce, .controlMACAddress,
            .speedDuplex,
        ]
        if offersPackedRings { features.insert(.ringPacked) }
        if pairs > 1 { features.formUnion([.multiqueue, .rss]) }
        return features
    }

    var offer: VirtioOffer {
        var offer = VirtioOffer(
            device: Virtio.PCI.networkDevice, classCode: 0x02_0000, features: features, required: VirtioNetOptions.requiredFeatures,
            queueSizes: [UInt16](repeating: VirtioNetOptions.queueSize, count: queueCount), configByteCount: VirtioNet.Config.byteCount)
        offer.requirements = VirtioFeatures.requirements
        offer.mapsNotifications = true
        return offer
    }

    /// A driver without them is not served: it would take our addresses for physical ones, or be a legacy one.
    static let requiredFeatures: VirtioFeatures = [.version1, .accessPlatform]
}

/// What a model met. All numbers only grow.
public struct VirtioNetCounters: Equatable, Sendable {
    /// Frames written to the driver, and frames given to the wire.
    public var framesReceived: UInt64 = 0
    public var bytesReceived: UInt64 = 0
    public var framesSent: UInt64 = 0
    public var bytesSent: UInt64 = 0
    /// Frames of the driver that were too short, too long, or asked for what was not negotiated.
    public var framesNotSent: UInt64 = 0
    /// Frames that no filter wanted.
    public var framesFiltered: UInt64 = 0
    /// Frames that came while receive was off.
    public var framesWhileOff: UInt64 = 0
    /// Frames that were longer than the MTU, or than the driver's buffers.
    public var framesTooLong: UInt64 = 0
    /// Frames that had to wait for buffers.
    public var starvations: UInt64 = 0
    public var checksumsInserted: UInt64 = 0
    public var commands: UInt64 = 0
    public var commandsRefused: UInt64 = 0
    public var interrupts: UInt64 = 0
    public var deviceResets: UInt64 = 0
    /// Queues that were stopped, and why the last one was.
    public var violations: UInt64 = 0
    public var lastViolation: VirtqueueViolation?
    public init() {}
}
