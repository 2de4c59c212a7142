import CLinuxShims
public import LinuxIO

/// A PCI function's file that another process opened and sent here: enough to end its DMA when that process cannot any more.
public final class OpenedDevice {
    public let name: String
    private let file: OwnedDescriptor
    private let configOffset: Int64

    /// - Parameters:
    ///   - configOffset: where config space begins in the file, bytes (``KernelVFIODevice/fileOffset(ofRegion:)``). One that is
    ///     none of a file's makes each access an error.
    ///   - name: for errors.
    public init(adopting file: consuming OwnedDescriptor, configOffset: UInt64, name: String) {
        self.file = file
        self.configOffset = Int64(clamping: min(configOffset, UInt64(Int64.max) - 0x1000))
        self.name = name
    }

    /// Clears the command register's bus master bit (linux/pci_regs.h, PCI_COMMAND_MASTER): the function issues no requests any
    /// more. The memory bit stays, since whoever has BARs mapped would get a SIGBUS for each access without it.
    public func endBusMastering() throws(SystemCallError) {
        let offset = configOffset + Int64(KernelVFIODevice.commandRegister)
        var command = try file.read(byteCount: 2, at: offset, subject: "\(name), command register")
        command[0] &= ~UInt8(KernelVFIODevice.busMaster)
        try file.write(command, at: offset, subject: "\(name), command register")
    }

    /// VFIO_DEVICE_RESET. EINVAL: the kernel has no way to reset this function alone. A function-level reset takes 100 ms or
    /// more: Linux waits that long before it looks at the function again (drivers/pci/pci.c, `pcie_flr`).
    public func reset() throws(SystemCallError) {
        try file.ioctl(UInt(unic_vfio_device_reset), call: "VFIO_DEVICE_RESET", on: name)
    }
}
