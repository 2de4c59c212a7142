import LinuxIO

/// The IOMMUs that the kernel uses, and those that the firmware tells of.
public struct IOMMUFacts: Equatable, Sendable {
    public enum Kind: String, Sendable {
        case intel = "Intel VT-d"
        case amd = "AMD-Vi"
        case virtio = "virtio-iommu"
        case arm = "Arm SMMU"
        case other = "an IOMMU"
    }

    public struct Unit: Equatable, Sendable {
        public let name: String
        public let kind: Kind
    }

    /// What the kernel has registered in /sys/class/iommu.
    public var units: [Unit]
    /// The firmware's tables that describe IOMMUs: of DMAR, IVRS, VIOT, IORT.
    public var tables: [String]
    /// Whether devices' interrupts go through a remapping table; nil: it cannot be seen here.
    public var interruptsAreRemapped: Bool?
    /// Words of the kernel's command line.
    public var commandLine: [String]
    /// The driver virtio_iommu is a module that is there and not loaded.
    public var virtioDriverIsLoadable: Bool
    /// /etc/default/grub is there: the command line can be changed in it.
    public var hasGRUB: Bool

    static func read(_ paths: HostPaths) -> IOMMUFacts {
        let folder = "\(paths.kernel.sys)/class/iommu"
        let tables = paths.names("\(paths.kernel.sys)/firmware/acpi/tables")
        return IOMMUFacts(
            units: paths.names(folder).map { Unit(name: HostPaths.printable($0), kind: kind(of: $0, in: folder, paths)) },
            tables: ["DMAR", "IVRS", "VIOT", "IORT"].filter(tables.contains),
            interruptsAreRemapped: remapsInterrupts(paths),
            commandLine: (paths.line("\(paths.kernel.proc)/cmdline") ?? "").split(separator: " ").map(String.init),
            virtioDriverIsLoadable: !paths.exists("\(paths.kernel.sys)/bus/virtio/drivers/virtio_iommu")
                && ModuleList.read(paths).hasModule("virtio_iommu"),
            hasGRUB: paths.exists("\(paths.etc)/default/grub"))
    }

    /// By the name that each driver registers (iommu_device_sysfs_add): dmarN, ivhdN, smmu3.ADDRESS, or what the virtio
    /// device's bus calls it, whose driver is then virtio_iommu.
    private static func kind(of name: String, in folder: String, _ paths: HostPaths) -> Kind {
        if name.hasPrefix("dmar") { return .intel }
        if name.hasPrefix("ivhd") { return .amd }
        if name.hasPrefix("smmu") { return .arm }
        return paths.linkedName("\(folder)/\(name)/device/driver") == "virtio_iommu" ? .virtio : .other
    }

    /// Interrupt chips behind a remapping unit have names of their own, the I/O APIC's too: `IR-IO-APIC`, `IR-PCI-MSIX-…`
    /// (arch/x86/kernel/apic: io_apic.c, msi.c). On Arm the translation service isolates devices by itself.
    private static func remapsInterrupts(_ paths: HostPaths) -> Bool? {
        let folder = "\(paths.kernel.sys)/kernel/irq"
        var chips = paths.names(folder).compactMap { paths.line("\(folder)/\($0)/chip_name") }.filter { !$0.isEmpty }
        if chips.isEmpty, let table = try? readSmallFile("\(paths.kernel.proc)/interrupts") {
            chips = table.split(whereSeparator: \.isWhitespace).map(String.init).filter { $0.contains("APIC") || $0.contains("MSI") }
        }
        guard !chips.isEmpty else { return nil }
        return chips.contains { $0.hasPrefix("IR-") || $0.hasPrefix("ITS-") }
    }
}
