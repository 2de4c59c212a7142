import LinuxIO
import SystemPackage

extension VFIOSubject {
    func noFunction() -> DeviceError {
        .notFound(
            device: url, reason: "there is no PCI function \(address) (\(paths.device(address)))",
            fix: "`lspci -Dnn` lists the addresses that there are.")
    }

    func isOpenHere() -> DeviceError { notUsable("this process has it open already", fix: "Close it first, or name another device.") }

    /// What can be said before anything is opened.
    /// - Returns: the number of the device's group.
    func checkSetup() throws(DeviceError) -> String {
        let driver = sysfs.driver
        guard let group = sysfs.group else { throw noGroup(driver: driver) }
        var subject = self
        subject.group = group
        if sysfs.hasNoIOMMUGroup {
            throw subject.notUsable(
                "its group was made by vfio's no-IOMMU mode, in which the device reaches all of memory",
                fix: "Say iommu=noiommu or --allow-noiommu if that is meant; an IOMMU is better. \(VFIOSubject.turnOnIOMMU)")
        }
        guard let driver, SysfsDevice.isVFIO(driver: driver) else { throw subject.notBound(driver: driver) }
        return group
    }

    private static let turnOnIOMMU =
        "Turn it on in the firmware (VT-d, AMD-Vi, SMMU) and, on Intel, boot with intel_iommu=on; in a virtual machine, give it a vIOMMU (QEMU: -device intel-iommu,intremap=on)."

    private func noGroup(driver: String?) -> DeviceError {
        guard sysfs.machineHasIOMMU else {
            return notUsable(
                "\(address) is in no IOMMU group, and no IOMMU is there (\(paths.sys)/class/iommu is empty)", fix: VFIOSubject.turnOnIOMMU)
        }
        if let driver, SysfsDevice.isVFIO(driver: driver) {
            return notUsable(
                "\(address) is in no IOMMU group though an IOMMU is there",
                fix: "The firmware's tables (DMAR, IVRS, IORT, VIOT) leave it out: use a slot or a bridge that they name.")
        }
        return notUsable(
            "\(address) is in no IOMMU group and \(driver.map { "bound to \($0)" } ?? "bound to no driver"); some IOMMUs make the group when a driver binds",
            fix: VFIOSubject.bindCommands(address.description, boundTo: driver))
    }

    func notBound(driver: String?) -> DeviceError {
        notUsable(
            driver.map { "\(address) is bound to the driver \($0), not to vfio-pci" } ?? "\(address) is bound to no driver",
            fix: VFIOSubject.bindCommands(address.description, boundTo: driver))
    }

    /// open(2) of /dev/vfio/vfio.
    func cannotOpenContainer(_ cause: SystemCallError) -> DeviceError {
        switch cause.errno {
        case .noSuchFileOrDirectory, .operationNotSupportedByDevice, .noSuchAddressOrDevice:
            failed(
                cause,
                fix:
                    "VFIO is not loaded: `modprobe vfio-pci vfio_iommu_type1`, or build the kernel with CONFIG_VFIO_PCI, CONFIG_VFIO_CONTAINER and CONFIG_VFIO_IOMMU_TYPE1."
            )
        case .permissionDenied, .notPermitted:
            failed(cause, fix: "It \(owner(of: paths.container)); it is meant to be open to all: `chmod 666 \(paths.container)` as root.")
        default: failed(cause, fix: "See `dmesg`.")
        }
    }

    func wrongContainer(_ reason: String) -> DeviceError {
        notUsable("\(paths.container) \(reason)", fix: "Load the type 1 backend: `modprobe vfio_iommu_type1`.")
    }

    /// open(2) of /dev/vfio/N.
    func cannotOpenGroup(_ cause: SystemCallError, path: String) -> DeviceError {
        switch cause.errno {
        case .noSuchFileOrDirectory, .operationNotSupportedByDevice, .noSuchAddressOrDevice:
            return failed(
                cause,
                fix:
                    "The group's file is not there: it comes when vfio-pci takes the device, in a kernel with CONFIG_VFIO_GROUP. In a container, pass \(path) in."
            )
        case .permissionDenied, .notPermitted:
            return failed(
                cause,
                fix:
                    "It \(owner(of: path)). As root: chown USER \(path), or a udev rule: SUBSYSTEM==\"vfio\", GROUP=\"vfio\", MODE=\"0660\"."
            )
        case .resourceBusy:
            let holders = groupHolders
            let who =
                holders.isEmpty
                ? "`fuser -v \(path) \(paths.dev)/vfio/devices/*` as root shows by whom" : "by \(holders.joined(separator: ", "))"
            return failed(
                cause,
                fix:
                    "A group is opened once at a time and this one is open, or a function of it is: \(who). End that process, or use a device of another group."
            )
        default: return failed(cause, fix: "See `dmesg`.")
        }
    }

    func owner(of path: String) -> String {
        guard let owner = try? FileOwner.of(path) else { return "cannot be opened by this user" }
        return "belongs to user \(owner.user), group \(owner.group), mode \(String(owner.permissions, radix: 8))"
    }

    /// VFIO_GROUP_GET_STATUS without VFIO_GROUP_FLAGS_VIABLE, or a refusal for the same reason.
    func notViable(_ cause: SystemCallError? = nil) -> DeviceError {
        let holding = sysfs.siblings.filter { !SysfsDevice.leavesGroupViable(driver: $0.driver) }
        let call = cause.map { " (\($0))" } ?? ""
        guard !holding.isEmpty else {
            return notUsable(
                "the group is not viable\(call), and none of its devices is bound to a kernel driver",
                fix:
                    "Another process has it through iommufd or another container, or a driver is just being bound: `fuser -v \(paths.dev)/vfio/*` as root, then try again."
            )
        }
        let names = holding.map { "\($0.address) (driver \($0.driver ?? "none"))" }.joined(separator: ", ")
        let commands = holding.map { VFIOSubject.bindCommands($0.address, boundTo: $0.driver) }.joined(separator: "; ")
        return notUsable(
            "the group is not viable\(call): it cannot be given away while these devices of it belong to kernel drivers: \(names)",
            fix: "Give them to vfio-pci too, or put the device behind a port with ACS. \(commands)")
    }

    /// VFIO_GROUP_SET_CONTAINER.
    func cannotSetContainer(_ cause: SystemCallError) -> DeviceError {
        switch cause.errno {
        case .notPermitted, .resourceBusy: notViable(cause)
        default: failed(cause, fix: "The group is in a container already, or its last device just left it. Try again, and see `dmesg`.")
        }
    }

    /// VFIO_SET_IOMMU.
    func cannotSetIOMMU(_ cause: SystemCallError) -> DeviceError {
        switch cause.errno {
        case .notPermitted:
            failed(
                cause,
                fix:
                    "The platform does not remap interrupts, so that a device could raise any interrupt of the machine. Turn interrupt remapping on (firmware; QEMU: intel-iommu,intremap=on with kernel-irqchip=split), or, if you trust the device and who programs it: `echo 1 > /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts` as root."
            )
        case .operationNotSupportedByDevice: failed(cause, fix: "No IOMMU backend took the group: `modprobe vfio_iommu_type1`.")
        default: failed(cause, fix: "The IOMMU's driver refused the group's domain; `dmesg` says why.")
        }
    }

    /// VFIO_GROUP_GET_DEVICE_FD.
    func cannotGetDevice(_ cause: SystemCallError) -> DeviceError {
        switch cause.errno {
        case .operationNotSupportedByDevice:
            failed(cause, fix: "vfio-pci no longer has it. \(VFIOSubject.bindCommands(address.description, boundTo: nil))")
        case .resourceBusy: failed(cause, fix: "Another user has a function of the same slot open; a reset would disturb it. End it first.")
        default: failed(cause, fix: "vfio-pci could not enable the device; `dmesg` says why.")
        }
    }
}
