public import DeviceMemory

/// THE SEAM: one PCI function, through whatever VFIO there is. Control path only: a driver takes what it maps here and
/// then works on memory alone. One thread at a time uses a value.
///
/// Region, interrupt and index numbers are VFIO's PCI ones (linux/vfio.h, VFIO_PCI_*_REGION_INDEX, VFIO_PCI_*_IRQ_INDEX).
public protocol DeviceAccess: AnyObject {
    /// The URL that it was opened by, for messages.
    var url: String { get }

    /// Little-endian read of config space, 1, 2 or 4 bytes.
    func readConfig(at offset: Int, byteCount: Int) throws(DeviceError) -> UInt32
    func writeConfig(_ value: UInt32, at offset: Int, byteCount: Int) throws(DeviceError)

    /// `region` 0…5 are BARs, 6 the ROM, 7 config space.
    func regionInfo(_ region: Int) throws(DeviceError) -> RegionInfo
    /// Maps every mmappable area of a region, once; the mappings live as long as the device. Empty if nothing is mmappable.
    func mapAreas(of region: Int) throws(DeviceError) -> [MappedArea]
    /// A trapped access of 1, 2, 4 or 8 bytes.
    func readRegion(_ region: Int, at offset: UInt64, byteCount: Int) throws(DeviceError) -> UInt64
    func writeRegion(_ region: Int, at offset: UInt64, _ value: UInt64, byteCount: Int) throws(DeviceError)

    /// What `map` accepts.
    var dmaLimits: DMALimits { get }
    /// The memory must outlive the mapping; `iova` and the memory's size are multiples of a page.
    func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError)
    /// After it returns no DMA reaches the memory.
    func unmap(_ range: IOVARange) throws(DeviceError)

    func interruptCount(_ kind: InterruptKind) throws(DeviceError) -> Int
    /// Vector i signals eventfd `eventfds[i]`; replaces what was set before. The descriptors stay the caller's.
    func enableInterrupts(_ kind: InterruptKind, eventfds: [Int32]) throws(DeviceError)
    func disableInterrupts(_ kind: InterruptKind) throws(DeviceError)
    /// INTx is masked by the kernel when it fires; this lets the next one through.
    func unmaskINTx() throws(DeviceError)

    /// Function-level reset: no DMA and no interrupt afterwards until the driver asks for them.
    func reset() throws(DeviceError)
    /// Throws `.gone` if the device or the process behind it is known to be dead. Cheap, but not for the data path.
    func checkPresence() throws(DeviceError)

    /// A device that lives in this thread and must be stepped; nil on hardware and on models in other processes.
    var progress: (any DeviceProgress)? { get }
}

/// A device model that its port's thread steps after each batch.
public protocol DeviceProgress: AnyObject {
    /// Does the work that is there. Returns whether there was any.
    func step() -> Bool
    /// Before sleeping: asks to be woken through a descriptor that becomes readable when work arrives.
    /// The caller steps once more after arming, and sleeps only if that found nothing.
    func armWake() -> Int32?
    /// After sleeping: no more wake-ups.
    func disarmWake()
}

/// A region of a device, as VFIO_DEVICE_GET_REGION_INFO tells it.
public struct RegionInfo: Equatable, Sendable {
    public var byteCount: UInt64
    public var isReadable: Bool
    public var isWritable: Bool
    /// Parts that can be mapped; the rest is trapped.
    public var mmappableAreas: [Range<UInt64>]

    public init(byteCount: UInt64, isReadable: Bool = true, isWritable: Bool = true, mmappableAreas: [Range<UInt64>] = []) {
        self.byteCount = byteCount
        self.isReadable = isReadable
        self.isWritable = isWritable
        self.mmappableAreas = mmappableAreas
    }
}

/// A mapped part of a region: `window` shows the region from `offset`.
public struct MappedArea: Sendable {
    public let offset: UInt64
    public let window: MemoryWindow

    public init(offset: UInt64, window: MemoryWindow) {
        self.offset = offset
        self.window = window
    }
}

/// VFIO's interrupt indexes of a PCI function (linux/vfio.h).
public enum InterruptKind: Int, Sendable, CaseIterable {
    case intx = 0
    case msi = 1
    case msix = 2
    case error = 3
    case request = 4
}

/// What a device's IOMMU can map.
public struct DMALimits: Equatable, Sendable {
    /// Where IOVAs may lie; reserved windows are the gaps.
    public var windows: [IOVARange]
    /// Page sizes in bytes, as a bit mask.
    public var pageSizes: UInt64
    /// How many mappings there may be at one time.
    public var maximumMappings: Int

    public init(windows: [IOVARange], pageSizes: UInt64, maximumMappings: Int) {
        self.windows = windows
        self.pageSizes = pageSizes
        self.maximumMappings = maximumMappings
    }
}
