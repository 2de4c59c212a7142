import DeviceAccess

/// Whether a PCI function may read and write memory, and send interrupts.
enum BusMaster {
    /// Memory space and bus mastering on: PCI Local Bus Specification 3.0 §6.2.2, command register bits 1 and 2
    /// (linux/pci_regs.h PCI_COMMAND_MEMORY, PCI_COMMAND_MASTER).
    static func enable(_ device: any DeviceAccess) throws(DeviceError) {
        let command = try device.readConfig(at: 4, byteCount: 2)
        try device.writeConfig(command | 0x6, at: 4, byteCount: 2)
    }

    static func disable(_ device: any DeviceAccess) throws(DeviceError) {
        let command = try device.readConfig(at: 4, byteCount: 2)
        try device.writeConfig(command & ~0x4, at: 4, byteCount: 2)
    }
}
