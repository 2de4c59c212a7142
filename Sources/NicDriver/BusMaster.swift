import DeviceAccess

/// Whether a PCI function may read and write memory, and send interrupts.
enum BusMaster {
    /// Memory space and bus mastering on, INTx off: PCI Local Bus Specification 3.0 §6.2.2, command register bits 1, 2 and 10
    /// (linux/pci_regs.h PCI_COMMAND_MEMORY, PCI_COMMAND_MASTER, PCI_COMMAND_INTX_DISABLE). Drivers here poll or use messages: a
    /// line that nobody lowers would make QEMU trap every access to the BARs for as long as it is high.
    static func enable(_ device: any DeviceAccess) throws(DeviceError) {
        let command = try device.readConfig(at: 4, byteCount: 2)
        try device.writeConfig(command | 0x406, at: 4, byteCount: 2)
    }

    static func disable(_ device: any DeviceAccess) throws(DeviceError) {
        let command = try device.readConfig(at: 4, byteCount: 2)
        try device.writeConfig(command & ~0x4, at: 4, byteCount: 2)
    }
}
