import Glibc
import LinuxIO
import SystemPackage

extension VFIOSubject {
    /// The function's own file, `/dev/vfio/devices/vfioN`.
    func deviceNode() throws(DeviceError) -> String {
        guard let name = sysfs.vfioDeviceName else {
            throw .notFound(
                device: url, reason: "\(paths.device(address))/vfio-dev is not there",
                fix: "VFIO shows devices there from Linux 6.1 on, once vfio-pci has them.")
        }
        guard sysfs.hasDeviceNode(name) else {
            throw .notFound(
                device: url, reason: "the kernel gives \(name) no file of its own (no \(paths.device(address))/vfio-dev/\(name)/dev)",
                fix: "It needs Linux 6.6 with CONFIG_VFIO_DEVICE_CDEV and CONFIG_IOMMUFD; iommu=type1 works without.")
        }
        return paths.deviceNode(name)
    }

    /// Other processes that have the group or a function of it open, as far as this user sees.
    var groupHolders: [String] {
        var places = group.map { [paths.group($0)] } ?? []
        for member in [address.description] + sysfs.siblings.map(\.address) {
            guard let address = PCIAddress(member) else { continue }
            let device = SysfsDevice(address: address, paths: paths)
            if let name = device.vfioDeviceName { places.append(paths.deviceNode(name)) }
        }
        return places.flatMap { DescriptorHolders.of($0, paths: paths, except: "\(getpid())") }
    }

    /// Opens both files to see whether this process may, so that one message names all that it may not.
    func checkIOMMUFD() throws(DeviceError) {
        let node = try deviceNode()
        var denied: [(path: String, cause: SystemCallError)] = []
        for path in [node, paths.iommu] {
            do { _ = try OwnedDescriptor.open(path, flags: O_RDWR) } catch {
                if error.errno == .permissionDenied || error.errno == .notPermitted { denied.append((path, error)) }
            }
        }
        guard let first = denied.first else { return }
        let all = denied.map { "\($0.path) (it \(owner(of: $0.path)))" }.joined(separator: " and ")
        let commands = denied.map { "chown USER \($0.path)" }.joined(separator: "; ")
        throw failed(first.cause, fix: "This user may not open \(all). As root: \(commands), or udev rules with GROUP and MODE=\"0660\".")
    }

    /// open(2) of /dev/iommu.
    func cannotOpenIOMMU(_ cause: SystemCallError) -> DeviceError {
        switch cause.errno {
        case .noSuchFileOrDirectory, .operationNotSupportedByDevice, .noSuchAddressOrDevice:
            failed(cause, fix: "`modprobe iommufd`, or build the kernel with CONFIG_IOMMUFD; in a container, pass \(paths.iommu) in.")
        case .permissionDenied, .notPermitted:
            failed(cause, fix: "It \(owner(of: paths.iommu)). As root: chown USER \(paths.iommu), or a udev rule with MODE=\"0660\".")
        default: failed(cause, fix: "See `dmesg`.")
        }
    }

    /// open(2) of /dev/vfio/devices/vfioN.
    func cannotOpenDeviceNode(_ cause: SystemCallError, path: String) -> DeviceError {
        switch cause.errno {
        case .noSuchFileOrDirectory:
            failed(cause, fix: "The kernel has it, so that /dev lacks it: in a container, pass \(path) in; else see udev.")
        case .operationNotSupportedByDevice, .noSuchAddressOrDevice: .gone(device: url, reason: "\(cause)")
        case .permissionDenied, .notPermitted:
            failed(cause, fix: "It \(owner(of: path)). As root: chown USER \(path), or a udev rule with MODE=\"0660\".")
        default: failed(cause, fix: "See `dmesg`.")
        }
    }

    /// VFIO_DEVICE_BIND_IOMMUFD (drivers/vfio/device_cdev.c, drivers/iommu/iommufd/device.c of Linux 6.12).
    func cannotBind(_ cause: SystemCallError, path: String) -> DeviceError {
        switch cause.errno {
        // iommu_device_claim_dma_owner says so, too, when another process has a function of the group.
        case .notPermitted where !groupHolders.isEmpty || interruptsMayBeUnsafe: busy(cause)
        case .notPermitted:
            failed(
                cause,
                fix:
                    "The platform does not remap interrupts, so that a device could raise any interrupt of the machine. Turn interrupt remapping on (firmware; QEMU: intel-iommu,intremap=on with kernel-irqchip=split), or, if you trust the device and who programs it: `echo 1 > \(paths.unsafeInterrupts)` as root.\(mayBeBusy)"
            )
        case .resourceBusy: busy(cause)
        case .invalidArgument where !groupHolders.isEmpty: busy(cause)
        case .invalidArgument:
            failed(
                cause, fix: "Somebody has the device open already, or the IOMMU cannot keep caches coherent: `fuser -v \(path)` as root.")
        case .operationNotSupportedByDevice: .gone(device: url, reason: "\(cause)")
        default: failed(cause, fix: "vfio-pci could not enable the device; `dmesg` says why.")
        }
    }

    private var interruptsMayBeUnsafe: Bool { (try? readSmallFile(paths.unsafeInterrupts))?.hasPrefix("Y") == true }

    /// Whose processes cannot be seen may have another function of the group.
    private var mayBeBusy: String {
        sysfs.siblings.contains { $0.driver.map(SysfsDevice.isVFIO) == true }
            ? " If interrupts are remapped, another user's process has a function of the same group: `fuser -v \(paths.dev)/vfio/devices/*` as root."
            : ""
    }

    /// Another process has the device, its group, or another function of its group.
    private func busy(_ cause: SystemCallError) -> DeviceError {
        let holders = groupHolders
        let kernel = sysfs.siblings.filter { !SysfsDevice.leavesGroupViable(driver: $0.driver) }
        guard holders.isEmpty, !kernel.isEmpty else {
            let who =
                holders.isEmpty
                ? "`fuser -v \(paths.dev)/vfio/* \(paths.dev)/vfio/devices/*` as root shows by whom"
                : "by \(holders.joined(separator: ", "))"
            return failed(
                cause, fix: "The device or another one of its group is in use: \(who). End that process, or use a device of another group.")
        }
        return notViable(cause)
    }

    /// VFIO_DEVICE_ATTACH_IOMMUFD_PT.
    func cannotAttach(_ cause: SystemCallError) -> DeviceError {
        switch cause.errno {
        case .addressInUse:
            failed(cause, fix: "Addresses that this device reserves are mapped for another function of its group: open this one first.")
        default: failed(cause, fix: "The IOMMU's driver refused the device's domain; `dmesg` says why.")
        }
    }
}
