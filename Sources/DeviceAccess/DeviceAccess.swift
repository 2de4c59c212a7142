public import DeviceMemory

/// THE SEAM: one PCI function, through whatever VFIO there is. Control path only: a driver takes what it maps here and
/// then works on memory alone. One thread at a time uses a value, with these exceptions, which any thread may call at any
/// time: ``readRegion(_:at:byteCount:)``, ``writeRegion(_:at:_:byteCount:)``, ``readConfig(at:byteCount:)`` and
/// ``checkPresence()`` of a device that works by itself (`progress` is nil). A device that is stepped belongs to its thread.
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
    /// Where `memory` is to be mapped: free, inside of a window, aligned so that the IOMMU can use large pages. A device
    /// that sees physical addresses leaves no choice: the answer is where the memory lies, which must be one piece.
    func place(_ memory: borrowing DMAMemory, in iovas: inout IOVAAllocator) throws(DeviceError) -> IOVARange
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

    /// Whether a device that is gone may come back: ``reconnect(timeoutMilliseconds:)`` is worth a try.
    var canReconnect: Bool { get }
    /// Waits for the device to come back, at most so long, and connects everything again that was connected: mapped areas
    /// (at the same addresses), DMA memory, interrupts. The device itself is as after power-on.
    ///
    /// No other thread may use the device or touch its areas meanwhile. After an error it is `.gone` still, and this may be
    /// tried again. Throws `.notUsable` if what came back is another device.
    func reconnect(timeoutMilliseconds: UInt64) throws(DeviceError)

    /// A device that lives in this thread and must be stepped; nil on hardware and on models in other processes.
    var progress: DeviceProgress? { get }
}

/// A device model that its port's thread steps after each batch. A class to inherit from: a driver can call it without counting a
/// reference, as it could not call what only conforms to a protocol.
open class DeviceProgress {
    public init() {}
    /// Does the work that is there. Returns whether there was any.
    open func step() -> Bool { false }
    /// Before sleeping: asks to be woken through a descriptor that becomes readable when work arrives.
    /// The caller steps once more after arming, and sleeps only if that found nothing.
    open func armWake() -> Int32? { nil }
    /// After sleeping: no more wake-ups.
    open func disarmWake() {}
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
    /// How many mappings there may be at one time; `Int.max`: nobody counts.
    public var maximumMappings: Int
    /// No IOMMU translates: an IOVA is a physical address, and memory must be one piece physically.
    public var seesPhysicalAddresses: Bool

    public init(windows: [IOVARange], pageSizes: UInt64, maximumMappings: Int, seesPhysicalAddresses: Bool = false) {
        self.windows = windows
        self.pageSizes = pageSizes
        self.maximumMappings = maximumMappings
        self.seesPhysicalAddresses = seesPhysicalAddresses
    }

    /// The smallest page that the IOMMU maps, in bytes; 0 if it says none.
    public var smallestPage: UInt64 { pageSizes & (~pageSizes &+ 1) }
}

extension DeviceAccess {
    /// Hardware that is gone stays gone.
    public var canReconnect: Bool { false }
    public func reconnect(timeoutMilliseconds: UInt64) throws(DeviceError) {
        throw .gone(device: url, reason: "a device of this kind does not come back; open it anew")
    }

    public func place(_ memory: borrowing DMAMemory, in iovas: inout IOVAAllocator) throws(DeviceError) -> IOVARange {
        try freePlace(for: memory, in: &iovas)
    }

    /// The allocator's next free place, for devices behind an IOMMU.
    package func freePlace(for memory: borrowing DMAMemory, in iovas: inout IOVAAllocator) throws(DeviceError) -> IOVARange {
        let page = max(dmaLimits.smallestPage, 1)
        let byteCount = UInt64(memory.byteCount)
        guard byteCount & (page - 1) == 0 else {
            throw .notUsable(
                device: url, group: nil, reason: "its IOMMU maps pages of \(page) bytes, and the memory has \(byteCount)",
                fix: "Use hugepages.")
        }
        guard let range = iovas.allocate(byteCount: byteCount, alignment: max(page, UInt64(memory.pageSize.rawValue))) else {
            throw .notUsable(
                device: url, group: nil, reason: "no IOVA window has \(byteCount) bytes free", fix: "Use smaller rings or fewer queues.")
        }
        return range
    }
}
