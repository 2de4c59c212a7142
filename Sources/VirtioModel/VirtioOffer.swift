public import NicRegisters

/// What a virtio function on PCI is and offers; constant for its life.
public struct VirtioOffer: Sendable {
    /// PCI device id: ``Virtio/PCI/modernDeviceBase`` and the virtio device id.
    public var device: UInt16
    /// Base class, subclass, interface (PCI Local Bus 3.0 §6.2.1).
    public var classCode: UInt32
    public var features: VirtioFeatures
    /// A driver that does not take them all is not served.
    public var required: VirtioFeatures
    /// What a feature needs, if it is taken.
    public var requirements: [(feature: VirtioFeatures, needsAnyOf: VirtioFeatures)] = []
    /// The largest size of each queue.
    public var queueSizes: [UInt16]
    /// Bytes of the device configuration, at most a page.
    public var configByteCount: Int
    /// A page of notifications that the driver maps: memory, so that a notification costs nothing and wakes nobody.
    /// Otherwise notifications are trapped and wake the function's host.
    public var mapsNotifications = false
    /// It sits on a root bus: PCI Express's "root complex integrated endpoint".
    public var isRootComplexIntegrated = false

    public init(
        device: UInt16, classCode: UInt32, features: VirtioFeatures, required: VirtioFeatures, queueSizes: [UInt16], configByteCount: Int
    ) {
        precondition(queueSizes.count <= QueueSet.capacity, "more queues than a set of them holds")
        precondition(configByteCount <= 4096, "a device configuration that is longer than its page")
        self.device = device
        self.classCode = classCode
        self.features = features
        self.required = required
        self.queueSizes = queueSizes
        self.configByteCount = configByteCount
    }

    /// One for each queue, and one for configuration changes.
    public var vectorCount: Int { queueSizes.count + 1 }

    /// A subset of the offered ones, with all that they need and that the device needs.
    func accepts(_ wanted: VirtioFeatures) -> Bool {
        features.isSuperset(of: wanted) && wanted.isSuperset(of: required)
            && requirements.allSatisfy { !wanted.contains($0.feature) || !wanted.isDisjoint(with: $0.needsAnyOf) }
    }
}

/// Numbers of queues.
public struct QueueSet: BitwiseCopyable, Sendable {
    static var capacity: Int { 64 }
    private var bits: UInt64 = 0
    public init() {}
    /// The first `count`.
    public init(count: Int) { for index in 0..<count { insert(index) } }
    public func contains(_ index: Int) -> Bool { bits &>> UInt64(index) & 1 == 1 }
    public mutating func insert(_ index: Int) { bits |= 1 &<< UInt64(index) }
    public mutating func remove(_ index: Int) { bits &= ~(1 &<< UInt64(index)) }
}
