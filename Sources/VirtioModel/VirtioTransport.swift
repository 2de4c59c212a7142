public import DeviceMemory
public import DeviceModel
public import NicRegisters

/// The device's side of virtio over PCI, which is the same for every kind of device: status and features, queues and
/// their configuration, interrupts, config space. A model owns one, hands every access to it, and does what is its own
/// when it says that something happened.
///
/// Numbers come from the driver: what names no field, or has another width than it, does nothing.
public struct VirtioTransport {
    public let offer: VirtioOffer
    @usableFromInline let environment: DeviceEnvironment

    // What the driver negotiated, and the selectors of the common configuration.
    public private(set) var status: VirtioStatus = []
    /// What the driver wrote; valid once FEATURES_OK is set.
    public private(set) var features: VirtioFeatures = []
    var deviceFeatureSelect: UInt32 = 0
    var driverFeatureSelect: UInt32 = 0
    var configVector = Virtio.noVector
    var queueSelect: UInt16 = 0
    var interruptStatus: Virtio.InterruptStatus = []

    public var queues: [Virtqueue]
    /// Queues that there are, of the offered ones: the model narrows it down when features were negotiated.
    public var existingQueues: QueueSet
    /// Queues whose violation was told.
    private var stoppedQueues = QueueSet()
    /// Of the device configuration: the model counts it up before the first read after a change.
    public var configGeneration: UInt8 = 0

    var msixTable: [UInt32]
    private var powerState: UInt8 = 0
    /// Bus mastering is on in config space.
    public private(set) var mayAccessMemory = false
    /// DRIVER_OK, and bus mastering: rings are looked at.
    public private(set) var isRunning = false
    /// ``DMASpace/removals`` when the rings were last looked up.
    @usableFromInline var knownRemovals: UInt64 = 0

    /// - Parameter environment: made for the offer's ``VirtioOffer/functionDescription()``.
    public init(_ offer: VirtioOffer, environment: DeviceEnvironment) {
        self.offer = offer
        self.environment = environment
        msixTable = Self.freshMSIXTable(offer)
        queues = offer.queueSizes.map { Virtqueue(size: $0) }
        existingQueues = QueueSet(count: offer.queueSizes.count)
        updateMemoryAccess()
    }

    /// Something that the model has a part in.
    public enum Event: Equatable, Sendable {
        /// The driver reset the device; all of the transport is as new. No memory of the driver is touched from now on.
        case reset
        /// Features are fixed.
        case negotiated
    }

    public var isNegotiated: Bool { status.contains(.featuresOK) }

    /// Power-on. The host resets the environment first.
    public mutating func reset() {
        msixTable = Self.freshMSIXTable(offer)
        powerState = 0
        resetDevice()
        updateMemoryAccess()
    }

    /// What a zero in the device status does: all but PCI.
    mutating func resetDevice() {
        status = []
        features = []
        deviceFeatureSelect = 0
        driverFeatureSelect = 0
        configVector = Virtio.noVector
        queueSelect = 0
        interruptStatus = []
        stoppedQueues = QueueSet()
        queues = offer.queueSizes.map { Virtqueue(size: $0) }
        existingQueues = QueueSet(count: offer.queueSizes.count)
        environment.setINTx(false)
        updateRunning()
    }

    // MARK: Status and features

    /// "Device Status Field", "Device Initialization". Bits are only ever added; one that comes too early, or that the
    /// device refuses, stays clear.
    mutating func writeStatus(_ value: VirtioStatus) -> Event? {
        guard !value.isEmpty else {
            resetDevice()
            return .reset
        }
        var event: Event?
        status.formUnion(value.intersection([.acknowledge, .driver, .failed]))
        if value.contains(.featuresOK), !isNegotiated, status.contains([.acknowledge, .driver]), offer.accepts(features) {
            status.insert(.featuresOK)
            event = .negotiated
        }
        if value.contains(.driverOK), !status.contains(.driverOK), isNegotiated {
            status.insert(.driverOK)
            updateRunning()
            for index in queues.indices where queues[index].isEnabled { startQueue(index) }
        }
        return event
    }

    /// After FEATURES_OK only a reset changes them.
    mutating func writeFeatures(_ value: UInt32) {
        guard !isNegotiated, driverFeatureSelect < 2 else { return }
        let shift = UInt64(driverFeatureSelect) * 32
        let kept = features.rawValue & ~(0xffff_ffff << shift)
        features = VirtioFeatures(rawValue: kept | UInt64(value) << shift)
    }

    /// DMA and messages need bus mastering (PCI Local Bus 3.0 §6.2.2).
    mutating func updateMemoryAccess() {
        mayAccessMemory = environment.isBusMaster
        updateRunning()
        if isRunning { startLateQueues() }
    }

    private mutating func updateRunning() { isRunning = mayAccessMemory && status.contains(.driverOK) }

    /// PCI Power Management 1.2 §3.2.4: without No_Soft_Reset, D3hot to D0 loses the state. True: it does.
    mutating func notePowerState(_ state: UInt8) -> Bool {
        defer { powerState = state }
        return powerState == 3 && state == 0
    }

    // MARK: Queues

    /// The queue that the selector names; nil: there is none. Before negotiation any of them may come to exist.
    var selectedQueue: Int? {
        let index = Int(queueSelect)
        return queues.indices.contains(index) && existingQueues.contains(index) ? index : nil
    }

    /// A configuration field of the selected queue. An enabled one keeps what it has.
    mutating func configureQueue(_ change: (inout Virtqueue) -> Void) {
        guard let index = selectedQueue, !queues[index].isEnabled else { return }
        change(&queues[index])
    }

    /// A power of two for split rings; anything else is ignored.
    mutating func writeQueueSize(_ value: UInt16) {
        guard let index = selectedQueue, value > 0, value <= offer.queueSizes[index],
            value & (value &- 1) == 0 || features.contains(.ringPacked)
        else { return }
        configureQueue { $0.size = value }
    }

    /// "The driver MUST NOT write a 0".
    mutating func writeQueueEnable(_ value: UInt16) {
        guard value == 1, isNegotiated, let index = selectedQueue, !queues[index].isEnabled else { return }
        queues[index].isEnabled = true
        if status.contains(.driverOK) { startQueue(index) }
    }

    /// "Virtqueue Reset": at once, since nothing is in flight between two steps.
    mutating func writeQueueReset(_ value: UInt16) {
        guard value == 1, isNegotiated, features.contains(.ringReset), let index = selectedQueue else { return }
        queues[index] = Virtqueue(size: offer.queueSizes[index])
        stoppedQueues.remove(index)
    }

    /// Rings are in memory: without bus mastering the queue is looked up when that comes.
    private mutating func startQueue(_ index: Int) {
        guard mayAccessMemory else { return }
        queues[index].start(
            isPacked: features.contains(.ringPacked), usesEventIndex: features.contains(.eventIndex), dma: environment.dma)
    }

    /// Bus mastering came after DRIVER_OK.
    private mutating func startLateQueues() {
        for index in queues.indices where queues[index].isEnabled && queues[index].parts == nil && queues[index].violation == nil {
            startQueue(index)
        }
    }

    /// Before a step: if something was unmapped since the last one, rings that were looked up before may be gone.
    /// True: they were looked up again, so that some may have been stopped.
    @inlinable @inline(__always) public mutating func refreshQueues() -> Bool {
        let removals = environment.dma.removals
        return removals == knownRemovals ? false : reopenQueues(removals)
    }

    @usableFromInline @inline(never) mutating func reopenQueues(_ removals: UInt64) -> Bool {
        knownRemovals = removals
        for index in queues.indices where queues[index].isReady { queues[index].open(environment.dma) }
        return true
    }

    /// Whether the driver shall notify; look again after switching it on.
    public mutating func setNotifications(_ areWanted: Bool) {
        guard isRunning else { return }
        for index in queues.indices where queues[index].isReady { queues[index].setNotifications(areWanted) }
        if areWanted { ProcessorBarrier.full() }
    }

    /// Says to the driver that a queue broke a rule, once. "Device Status Field".
    /// - Returns: which, if it is news; tell the driver by ``interruptForConfiguration()`` then, if it is running.
    public mutating func takeViolation(of index: Int) -> VirtqueueViolation? {
        guard let violation = queues[index].violation, !stoppedQueues.contains(index) else { return nil }
        stoppedQueues.insert(index)
        status.insert(.needsReset)
        return violation
    }
}
