import CLinuxShims
import LinuxIO
import SystemPackage

extension KernelVFIODevice {
    /// VFIO_DEVICE_RESET, with interrupts switched off before and bus mastering off after it: the kernel puts the command
    /// register back as it was, and a reset by power state leaves some devices as they were. Mapped areas stay valid.
    /// Throws `.notUsable` for a device without a reset of its own: the driver then uses the device's software reset.
    public func reset() throws(DeviceError) {
        guard canReset else {
            throw subject.notUsable(
                "VFIO knows no way to reset this function alone (VFIO_DEVICE_FLAGS_RESET is not set)",
                fix: "Use the device's own software reset; `cat /sys/bus/pci/devices/\(address)/reset_method` shows what the kernel has.")
        }
        if let enabledKind { try disableInterrupts(enabledKind) }
        let name = "\(address)"
        do {
            try withDevice { file throws(SystemCallError) in
                _ = try file.ioctl(UInt(unic_vfio_device_reset), call: "VFIO_DEVICE_RESET", on: name)
            }
        } catch { throw subject.cannotReset(error) }
        let command = try readConfig(at: KernelVFIODevice.commandRegister, byteCount: 2)
        try writeConfig(command & ~KernelVFIODevice.busMaster, at: KernelVFIODevice.commandRegister, byteCount: 2)
    }

    // linux/pci_regs.h: PCI_COMMAND, PCI_COMMAND_MASTER.
    static let commandRegister = 0x04
    static let busMaster: UInt32 = 0x4
}

extension VFIOSubject {
    /// VFIO_DEVICE_SET_IRQS.
    func cannotSetInterrupts(_ cause: SystemCallError) -> DeviceError {
        switch cause.errno {
        case .badFileDescriptor: failed(cause, fix: "An entry is not an eventfd that is open.")
        case .invalidArgument: failed(cause, fix: "The kind is not on, or there are more vectors than the device has.")
        case .noSpace, .noMemory: failed(cause, fix: "The kernel is out of interrupt vectors: use fewer.")
        default: failed(cause, fix: "See `dmesg`.")
        }
    }

    /// VFIO_DEVICE_RESET.
    func cannotReset(_ cause: SystemCallError) -> DeviceError {
        switch cause.errno {
        case .resourceTemporarilyUnavailable, .resourceBusy:
            failed(cause, fix: "Another function of the slot or bus is in use and a reset would hit it: end its user, then try again.")
        case .operationNotSupportedByDevice, .inappropriateIOCTLForDevice:
            failed(cause, fix: "The device offers no reset that the kernel can use alone.")
        default: failed(cause, fix: "The device did not come back from its reset; `dmesg` says more. A reboot may be needed.")
        }
    }
}
