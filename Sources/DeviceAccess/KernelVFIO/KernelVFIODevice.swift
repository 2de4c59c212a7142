import CLinuxShims
public import DeviceMemory
import LinuxIO

/// A PCI function through Linux's VFIO: group, container and an IOMMU of type 1v2 (linux/vfio.h).
///
/// Each device has a container of its own, so that what one maps no other device reaches. Closing gives everything back:
/// mapped BARs, then the device (the kernel ends its DMA and its interrupts), then the group, then the address space.
/// One thread at a time uses a value.
public final class KernelVFIODevice: DeviceAccess {
    public let url: String
    public let address: PCIAddress
    /// The IOMMU group's number, as in `/dev/vfio/N`.
    public let group: String
    public let dmaLimits: DMALimits
    /// Always nil: hardware works by itself.
    public var progress: (any DeviceProgress)? { nil }

    let subject: VFIOSubject
    let canReset: Bool
    var regions: [RegionInfoReply?] = Array(repeating: nil, count: KernelVFIODevice.regionCount)
    var areas: [Int: [BARMapping]] = [:]
    /// The kind that is on, of INTx, MSI and MSI-X, of which the kernel allows one at a time.
    var enabledKind: InterruptKind?
    private var container: VFIOContainer?
    private var groupFile: VFIOGroup?
    private var device: OwnedDescriptor?

    /// BARs, ROM and config space: VFIO_PCI_CONFIG_REGION_INDEX is the last that this seam knows.
    static let regionCount = 8
    static let configRegion = 7

    /// Takes the function over. It must be bound to vfio-pci and its group viable; errors say how to get there.
    public convenience init(url: String, address: PCIAddress) throws(DeviceError) {
        try self.init(url: url, address: address, paths: KernelPaths())
    }

    init(url: String, address: PCIAddress, paths: KernelPaths) throws(DeviceError) {
        var subject = VFIOSubject(url: url, address: address, group: nil, paths: paths)
        let number = try subject.checkSetup()
        subject.group = number
        let container = try VFIOContainer(subject)
        let group = try VFIOGroup(number, subject)
        try group.enter(container)
        try container.setIOMMU()
        let device = try group.openDevice()
        let flags = try KernelVFIODevice.check(device, subject)
        dmaLimits = try container.limits()
        self.url = url
        self.address = address
        self.group = number
        self.subject = subject
        canReset = flags & UInt32(VFIO_DEVICE_FLAGS_RESET) != 0
        self.container = consume container
        groupFile = consume group
        self.device = consume device
    }

    deinit {
        areas = [:]
        device = nil
        groupFile = nil
        container = nil
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

    /// Maps memory of this process for the device's DMA.
    public func map(_ memory: borrowing DMAMemory, at iova: IOVA, access: DMAAccess) throws(DeviceError) {
        guard let range = IOVARange(start: iova, byteCount: UInt64(memory.byteCount)) else {
            throw subject.notUsable("\(memory.byteCount) bytes at IOVA \(iova) run past the address space", fix: "Choose a lower IOVA.")
        }
        guard !access.isDisjoint(with: .readWrite) else {
            throw .mapDMA(
                device: url, range: range, reason: "the device would be allowed neither to read nor to write", fix: "Ask for one of them.")
        }
        switch container {
        case .some(let space): try space.map(range, address: memory.processAddress, access: access, limits: dmaLimits)
        case .none: preconditionFailure("a container is open as long as its device lives")
        }
    }

    public func unmap(_ range: IOVARange) throws(DeviceError) {
        switch container {
        case .some(let space): try space.unmap(range)
        case .none: preconditionFailure("a container is open as long as its device lives")
        }
    }
}
