import DeviceModel
import NicRegisters

/// What the driver negotiated, and the selectors of the common configuration.
struct VirtioCommonState {
    var status: VirtioStatus = []
    var deviceFeatureSelect: UInt32 = 0
    var driverFeatureSelect: UInt32 = 0
    /// What the driver wrote; valid once FEATURES_OK is set.
    var features: VirtioFeatures = []
    var configVector = Virtio.noVector
    var queueSelect: UInt16 = 0
    var interruptStatus: Virtio.InterruptStatus = []
    /// INTx is asserted.
    /// Queues whose violation was told.
    var stoppedQueues = QueueSet()

    var isNegotiated: Bool { status.contains(.featuresOK) }
}

/// Numbers of queues, up to 63.
struct QueueSet: BitwiseCopyable {
    private var bits: UInt64 = 0
    func contains(_ index: Int) -> Bool { bits &>> UInt64(index) & 1 == 1 }
    mutating func insert(_ index: Int) { bits |= 1 &<< UInt64(index) }
    mutating func remove(_ index: Int) { bits &= ~(1 &<< UInt64(index)) }
}

extension VirtioNetModel {
    /// "Device Status Field", "Device Initialization". Bits are only ever added; one that comes too early, or that the
    /// device refuses, stays clear.
    mutating func writeStatus(_ value: VirtioStatus) {
        guard !value.isEmpty else { return resetDevice() }
        common.status.formUnion(value.intersection([.acknowledge, .driver, .failed]))
        if value.contains(.featuresOK), !common.isNegotiated, common.status.contains([.acknowledge, .driver]), acceptsFeatures {
            common.status.insert(.featuresOK)
            updateFilter()
        }
        if value.contains(.driverOK), !common.status.contains(.driverOK), common.isNegotiated {
            common.status.insert(.driverOK)
            updateRunning()
            for index in queues.indices where queues[index].isEnabled { startQueue(index) }
        }
    }

    /// A subset of the offered ones, with all that they need and that this device needs.
    private var acceptsFeatures: Bool {
        options.features.isSuperset(of: common.features) && common.features.isSuperset(of: VirtioNetOptions.requiredFeatures)
            && common.features.isConsistent
    }

    /// After FEATURES_OK only a reset changes them.
    mutating func writeFeatures(_ value: UInt32) {
        guard !common.isNegotiated, common.driverFeatureSelect < 2 else { return }
        let shift = UInt64(common.driverFeatureSelect) * 32
        let kept = common.features.rawValue & ~(0xffff_ffff << shift)
        common.features = VirtioFeatures(rawValue: kept | UInt64(value) << shift)
    }

    func features(_ features: VirtioFeatures, half select: UInt32) -> UInt32 {
        select < 2 ? UInt32(truncatingIfNeeded: features.rawValue >> (UInt64(select) * 32)) : 0
    }

    // MARK: Queues

    /// N of "Network Device / Virtqueues".
    var negotiatedPairs: Int { common.features.isDisjoint(with: [.multiqueue, .rss]) ? 1 : options.pairs }

    /// nil: there is none.
    var controlQueueIndex: Int? {
        common.isNegotiated && common.features.contains(.controlQueue) ? VirtioNet.controlQueue(pairs: negotiatedPairs) : nil
    }

    /// The queue that the selector names; nil: there is none. Before negotiation any of them may come to exist.
    var selectedQueue: Int? {
        let index = Int(common.queueSelect)
        guard queues.indices.contains(index) else { return nil }
        guard common.isNegotiated else { return index }
        return index < 2 * negotiatedPairs || index == controlQueueIndex ? index : nil
    }

    /// A configuration field of the selected queue. An enabled one keeps what it has.
    mutating func configureQueue(_ change: (inout Virtqueue) -> Void) {
        guard let index = selectedQueue, !queues[index].isEnabled else { return }
        change(&queues[index])
    }

    /// A power of two for split rings; anything else is ignored.
    mutating func writeQueueSize(_ value: UInt16) {
        let isPowerOfTwo = value & (value &- 1) == 0
        guard value > 0, value <= VirtioNetOptions.queueSize, isPowerOfTwo || common.features.contains(.ringPacked) else { return }
        configureQueue { $0.size = value }
    }

    /// "The driver MUST NOT write a 0".
    mutating func writeQueueEnable(_ value: UInt16) {
        guard value == 1, common.isNegotiated, let index = selectedQueue, !queues[index].isEnabled else { return }
        queues[index].isEnabled = true
        if common.status.contains(.driverOK) { startQueue(index) }
    }

    /// "Virtqueue Reset": at once, since nothing is in flight between two steps.
    mutating func writeQueueReset(_ value: UInt16) {
        guard value == 1, common.isNegotiated, common.features.contains(.ringReset), let index = selectedQueue else { return }
        queues[index] = Virtqueue(size: VirtioNetOptions.queueSize)
        common.stoppedQueues.remove(index)
    }

    /// Rings are in memory: without bus mastering the queue is looked up when that comes.
    private mutating func startQueue(_ index: Int) {
        guard mayAccessMemory else { return }
        queues[index].start(
            isPacked: common.features.contains(.ringPacked), usesEventIndex: common.features.contains(.eventIndex), dma: dma)
        noteViolation(of: index)
    }

    /// Bus mastering came after DRIVER_OK.
    mutating func startLateQueues() {
        for index in queues.indices where queues[index].isEnabled && queues[index].parts == nil && queues[index].violation == nil {
            startQueue(index)
        }
    }
}
