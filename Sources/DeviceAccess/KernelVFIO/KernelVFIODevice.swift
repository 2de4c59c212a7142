import CLinuxShims
public import DeviceMemory
import LinuxIO

/// A PCI function through Linux's VFIO, by whichever backend serves it (``IOMMUBackend``).
///
/// Functions of different IOMMU groups share no address space, so that what one maps the other does not reach. Closing gives
/// everything back: mapped BARs, then the device (the kernel ends its DMA and its interrupts), then what it mapped, then,
/// with the last function of a group, the address space. One thread at a time uses a value; reading and writing regions and
/// config space and ``checkPresence()`` are for any thread: each is one call on the device's file, and changes nothing here.
public final class KernelVFIODevice: DeviceAccess {
    public let url: String
    public let address: PCIAddress
    /// The IOMMU group's number, as in `/dev/vfio/N`.
    public let group: String
    public let dmaLimits: DMALimits
    /// What serves it, and why nothing before that did.
    public let backendChoice: BackendChoice
    /// Always nil: hardware works by itself.
    public var progress: (any DeviceProgress)? { nil }

    let subject: VFIOSubject
    let canReset: Bool
    let regions: [Result<RegionInfoReply, DeviceError>]
    var areas: [Int: [BARMapping]] = [:]
    /// The kind that is on, of INTx, MSI and MSI-X, of which the kernel allows one at a time.
    var enabledKind: InterruptKind?
    /// Readable once the kernel wants the device back. nil: it has no such signal.
    let removal: EventFD?
    private var lease: AddressSpaceLease?
    private var device: OwnedDescriptor?

    /// BARs, ROM and config space: VFIO_PCI_CONFIG_REGION_INDEX is the last that this seam knows.
    static let regionCount = 8
    static let configRegion = 7

    /// Takes the function over. It must be bound to vfio-pci and its group viable; errors say how to get there.
    public convenience init(url: String, address: PCIAddress, request: BackendRequest = BackendRequest()) throws(DeviceError) {
        try self.init(url: url, address: address, request: request, paths: KernelPaths(), spaces: .ofThisProcess)
    }

    init(
        url: String, address: PCIAddress, request: BackendRequest = BackendRequest(), paths: KernelPaths,
        spaces: SharedAddressSpaces = SharedAddressSpaces()
    ) throws(DeviceError) {
        let nameless = VFIOSubject(url: url, address: address, group: nil, paths: paths)
        let opened = try BackendOpening(subject: nameless, request: request, spaces: spaces).open()
        let subject = opened.subject
        let function = opened.function
        let lease = AddressSpaceLease(function.key, function.spaces, function.space, subject)
        let flags = try KernelVFIODevice.check(function.device, subject)
        self.url = url
        self.address = address
        self.subject = subject
        group = function.key.group
        dmaLimits = function.limits
        backendChoice = opened.choice
        canReset = flags & UInt32(VFIO_DEVICE_FLAGS_RESET) != 0
        regions = KernelVFIODevice.regions(of: function.device, subject)
        removal = KernelVFIODevice.removalSignal(of: function.device, subject)
        self.lease = lease
        let device = function.device
        self.device = consume device
    }

    deinit {
        areas = [:]
        device = nil
        lease = nil
    }

    /// VFIO_DEVICE_GET_INFO. Returns the flags of a PCI function.
    private static func check(_ device: borrowing OwnedDescriptor, _ subject: VFIOSubject) throws(DeviceError) -> UInt32 {
        var info = vfio_device_info()
        info.argsz = UInt32(MemoryLayout<vfio_device_info>.size)
        do { try device.ioctl(UInt(unic_vfio_device_get_info), &info, call: "VFIO_DEVICE_GET_INFO", on: "\(subject.address)") } catch {
            throw subject.failed(error, fix: "See `dmesg`.")
        }
        guard info.flags & UInt32(VFIO_DEVICE_FLAGS_PCI) != 0, Int(info.num_regions) >= regionCount else {
            throw subject.notUsable("VFIO does not offer it as a PCI function", fix: "Bind it to vfio-pci.")
        }
        return info.flags
    }

    /// Runs a call on the device's file. Its errors are named by the caller.
    func withDevice<Result: ~Copyable>(_ body: (borrowing OwnedDescriptor) throws(SystemCallError) -> Result) throws(SystemCallError)
        -> Result
    {
        switch device {
        case .some(let file): try body(file)
        case .none: preconditionFailure("a device is open as long as it lives")
        }
    }

    /// With an IOMMU a free place; without one, where the memory is.
    public func place(_ memory: borrowing DMAMemory, in iovas: inout IOVAAllocator) throws(DeviceError) -> IOVARange {
        dmaLimits.seesPhysicalAddresses ? try physicalRange(of: memory) : try freePlace(for: memory, in: &iovas)
    }

    /// Maps memory of this process for the device's DMA.
    public func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) {
        guard let range = IOVARange(start: iova, byteCount: UInt64(memory.byteCount)) else {
            throw subject.notUsable("\(memory.byteCount) bytes at IOVA \(iova) run past the address space", fix: "Choose a lower IOVA.")
        }
        guard !access.isDisjoint(with: .readWrite) else {
            throw .mapDMA(
                device: url, range: range, reason: "the device would be allowed neither to read nor to write", fix: "Ask for one of them.")
        }
        if dmaLimits.seesPhysicalAddresses {
            let lies = try physicalRange(of: memory)
            guard lies == range else {
                throw .mapDMA(
                    device: url, range: range, reason: "without an IOMMU the device sees this memory at \(lies) and nowhere else",
                    fix: "Map it there.")
            }
        }
        try lease?.map(range, address: memory.processAddress, access: access, limits: dmaLimits)
    }

    public func unmap(_ range: IOVARange) throws(DeviceError) { try lease?.unmap(range) }

    private func physicalRange(of memory: borrowing DMAMemory) throws(DeviceError) -> IOVARange {
        do { return try PhysicalAddresses.range(of: memory) } catch {
            throw subject.notUsable(
                "without an IOMMU the device needs the memory's physical address: \(error)",
                fix: "Run as root, with memory in hugepages that follow one another.")
        }
    }
}
