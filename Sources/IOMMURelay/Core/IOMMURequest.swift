public import DeviceMemory

/// How the IOMMU answers a request. VIRTIO_IOMMU_S_*, virtio 1.3 §5.13.6.
public enum IOMMUStatus: UInt8, Sendable, CaseIterable {
    case ok = 0
    /// The transport between driver and device failed.
    case ioError = 1
    case unsupported = 2
    /// Something failed here that is not the driver's fault.
    case deviceError = 3
    case invalid = 4
    /// A number is out of range, or not aligned, or a mapping would be cut in two.
    case range = 5
    case noEntry = 6
    case fault = 7
    case noMemory = 8
}

/// A request of a guest's IOMMU driver. virtio 1.3 §5.13.6.1 to §5.13.6.5.
///
/// `first` and `last` are both inside of a range; nothing about them is judged yet.
public enum IOMMURequest: Equatable, Sendable {
    case attach(endpoint: UInt32, domain: UInt32, flags: UInt32)
    case detach(endpoint: UInt32, domain: UInt32)
    case map(domain: UInt32, first: UInt64, last: UInt64, physical: GuestPhysicalAddress, flags: UInt32)
    case unmap(domain: UInt32, first: UInt64, last: UInt64)
    case probe(endpoint: UInt32)
}

/// Where a request stands.
public enum IOMMUProgress: Equatable, Sendable {
    /// - Parameter properties: of a PROBE that succeeded.
    case done(IOMMUStatus, properties: [UInt8] = [])
    /// There is more to do than fits between two looks at other messages: ask again.
    case working
}

/// Whoever carries out requests, one after the other: ``IOMMUCore``.
public protocol IOMMURequestHandler: AnyObject {
    /// Starts a request; the one before is done.
    func begin(_ request: IOMMURequest) -> IOMMUProgress
    /// Whether ``begin(together:)`` saves anything now.
    var joinsRuns: Bool { get }
    /// Starts requests of which each continues the one before. `done(.ok)`: all of them are, as if they had been begun one by one.
    /// Any other status: nothing was done, and each has to be begun by itself.
    func begin(together requests: [IOMMURequest]) -> IOMMUProgress
    /// Whether something waits for its time.
    var hasDeferredWork: Bool { get }
    /// Carries out what has waited for long enough. Called in between requests, with the monotonic clock.
    func carryOutDeferred(at nanoseconds: UInt64)
    /// Goes on with the one that is `working`.
    func advance() -> IOMMUProgress
    /// The driver reset the IOMMU: endpoints are attached to nothing, a request under way is forgotten.
    func reset()
    /// Whether endpoints that are attached to nothing reach guest memory by its own addresses (`bypass` of the configuration).
    var bypassesUnattached: Bool { get set }
    /// What a driver is told of the device. virtio 1.3 §5.13.4.
    var configuration: IOMMUConfiguration { get }
    /// The oldest fault that no driver was told of yet.
    func takeFault() -> IOMMUFault?
    /// The answers so far are shown to the driver: what was begun since the last time was in the ring at once.
    func batchEnded()
}

extension IOMMURequestHandler {
    public var joinsRuns: Bool { false }
    public var hasDeferredWork: Bool { false }
    public func carryOutDeferred(at nanoseconds: UInt64) {}
    public func batchEnded() {}
    public func begin(together requests: [IOMMURequest]) -> IOMMUProgress { .done(.unsupported) }
}

/// struct virtio_iommu_config without `bypass`. virtio 1.3 §5.13.4.
public struct IOMMUConfiguration: Equatable, Sendable {
    /// Sizes of pages in bytes, one bit each; the lowest one is what ranges are multiples of.
    public var pageSizeMask: UInt64
    public var inputRange: ClosedRange<UInt64>
    public var domainRange: ClosedRange<UInt32>
    /// Bytes of all properties of an endpoint.
    public var probeByteCount: UInt32

    public init(
        pageSizeMask: UInt64 = ~0xfff, inputRange: ClosedRange<UInt64> = 0...UInt64.max, domainRange: ClosedRange<UInt32> = 0...UInt32.max,
        probeByteCount: UInt32 = 512
    ) {
        self.pageSizeMask = pageSizeMask
        self.inputRange = inputRange
        self.domainRange = domainRange
        self.probeByteCount = probeByteCount
    }
}

/// An access that was refused. struct virtio_iommu_fault, virtio 1.3 §5.13.6.7.
public struct IOMMUFault: Equatable, Sendable {
    public enum Reason: UInt8, Sendable {
        case unknown = 0
        /// The endpoint is attached to no domain.
        case domain = 1
        /// Nothing is mapped there, or not for such an access.
        case mapping = 2
    }
    public var reason: Reason
    public var endpoint: UInt32
    public var address: IOVA
    public var access: DMAAccess

    public init(reason: Reason, endpoint: UInt32, address: IOVA, access: DMAAccess) {
        self.reason = reason
        self.endpoint = endpoint
        self.address = address
        self.access = access
    }
}
