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
    public var progress: DeviceProgress? { nil }

    let subject: VFIOSubject
    let canReset: Bool
    let regions: [Result<RegionInfoReply, DeviceError>]
    var areas: [Int: [BARMapping]] = [:]
    /// The kind that is on, of INTx, MSI and MSI-X, of which the kernel allows one at a time.
    var enabledKind: InterruptKind?
    /// Readable once the kernel wants the device back. nil: it has no such signal.
    let removal: EventFD?
    private var addressSpace: AddressSpace?
    private var device: OwnedDescriptor?

    /// Where its DMA goes.
    enum AddressSpace {
        /// Its own part of its group's: ``map(_:at:access:)`` maps there.
        case leased(AddressSpaceLease)
        /// One whose owner maps there by hand, held because it has to outlive the device's file.
        case given(any HostAddressSpace)
        /// None: nothing gets through. The context is the one that the device is bound to.
        case blocked(IOMMUFDContext)
    }

    /// BARs, ROM and config space: VFIO_PCI_CONFIG_REGION_INDEX is the last that this seam knows.
    static let regionCount = 8
    static let configRegion = 7
    /// Config space's, for ``fileOffset(ofRegion:)``.
    public static var configRegionNumber: Int { configRegion }

    /// Takes the function over. It must be bound to vfio-pci and its group viable; errors say how to get there.
    public convenience init(url: String, address: PCIAddress, request: BackendRequest = BackendRequest()) throws(DeviceError) {
        try self.init(url: url, address: address, request: request, paths: KernelPaths(), spaces: .ofThisProcess)
    }

    convenience init(
        url: String, address: PCIAddress, request: BackendRequest = BackendRequest(), paths: KernelPaths,
        spaces: SharedAddressSpaces = SharedAddressSpaces()
    ) throws(DeviceError) {
        let nameless = VFIOSubject(url: url, address: address, group: nil, paths: paths)
        let opened = try BackendOpening(subject: nameless, request: request, spaces: spaces).open()
        let choice = opened.choice
        let subject = opened.subject
        let function = opened.function
        let lease = AddressSpaceLease(function.key, function.spaces, function.space, subject)
        let device = function.device
        try self.init(device, subject, choice, .leased(lease))
    }

    /// - Parameter subject: its group is known.
    init(
        _ device: consuming OwnedDescriptor, _ subject: VFIOSubject, _ choice: BackendChoice, _ addressSpace: AddressSpace
    ) throws(DeviceError) {
        let flags = try KernelVFIODevice.check(device, subject)
        url = subject.url
        address = subject.address
        self.subject = subject
        group = subject.group ?? ""
        dmaLimits = choice.limits
        backendChoice = choice
        canReset = flags & UInt32(VFIO_DEVICE_FLAGS_RESET) != 0
        regions = KernelVFIODevice.regions(of: device, subject)
        removal = KernelVFIODevice.removalSignal(of: device, subject)
        self.addressSpace = addressSpace
        self.device = consume device
    }

    deinit {
        areas = [:]
        device = nil
        addressSpace = nil
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
        try lease().map(range, address: memory.processAddress, access: access, limits: dmaLimits)
    }

    public func unmap(_ range: IOVARange) throws(DeviceError) { try lease().unmap(range) }

    private func lease() throws(DeviceError) -> AddressSpaceLease {
        guard case .leased(let lease) = addressSpace else {
            throw subject.notUsable("it was opened for who maps in its address space by hand", fix: "Map there.")
        }
        return lease
    }

    /// Replaces the address space, whose owner may give the old one back then.
    func move(to space: AddressSpace) { addressSpace = space }

    /// Of the address space that it was attached to by hand; nil if it is attached to none.
    var attachedContext: IOMMUFDContext? {
        if case .given(let space as IOAS) = addressSpace { space.context } else { nil }
    }

    private func physicalRange(of memory: borrowing DMAMemory) throws(DeviceError) -> IOVARange {
        do { return try PhysicalAddresses.range(of: memory) } catch {
            throw subject.notUsable(
                "without an IOMMU the device needs the memory's physical address: \(error)",
                fix: "Run as root, with memory in hugepages that follow one another.")
        }
    }
}
