import LinuxIO

/// What the kernel has of VFIO, and how it is set.
public struct VFIOFacts: Equatable, Sendable {
    /// A part of VFIO that may be a module.
    public enum Presence: Equatable, Sendable {
        case present
        /// `modprobe` can bring it.
        case loadable
        /// Neither in the kernel nor among its modules.
        case missing
    }

    public var pciDriver: Presence
    public var type1: Presence
    public var iommufd: Presence
    /// `/dev/vfio/vfio`.
    public var container: PCIFunction.Node?
    /// `/dev/iommu`.
    public var iommu: PCIFunction.Node?
    /// Of vfio_iommu_type1; nil: the module is not there, or has no such parameter.
    public var type1AllowsUnsafeInterrupts: Bool?
    /// Of iommufd.
    public var iommufdAllowsUnsafeInterrupts: Bool?
    /// Mappings that a container may have (vfio_iommu_type1).
    public var dmaEntryLimit: Int?
    /// Of vfio's enable_unsafe_noiommu_mode; nil: this kernel has no such mode, or vfio is not loaded.
    public var noIOMMUModeIsOn: Bool?
    /// TAINT_USER: a user asked for something unsafe since the boot, such as a no-IOMMU group.
    public var kernelIsTaintedByUser: Bool

    static func read(_ paths: HostPaths) -> VFIOFacts {
        let modules = "\(paths.kernel.sys)/module"
        let parameters = "\(modules)/vfio_iommu_type1/parameters"
        let available = ModuleList.read(paths)
        func presence(_ module: String, isThere: Bool) -> Presence {
            isThere ? .present : available.hasModule(module) ? .loadable : .missing
        }
        let iommu = PCIFunction.Node("\(paths.kernel.dev)/iommu", paths)
        return VFIOFacts(
            pciDriver: presence("vfio-pci", isThere: paths.exists("\(paths.kernel.sys)/bus/pci/drivers/vfio-pci")),
            type1: presence("vfio_iommu_type1", isThere: paths.exists("\(modules)/vfio_iommu_type1")),
            iommufd: presence("iommufd", isThere: iommu != nil),
            container: PCIFunction.Node(paths.kernel.container, paths), iommu: iommu,
            type1AllowsUnsafeInterrupts: paths.flag("\(parameters)/allow_unsafe_interrupts"),
            iommufdAllowsUnsafeInterrupts: paths.flag("\(modules)/iommufd/parameters/allow_unsafe_interrupts"),
            dmaEntryLimit: paths.integer("\(parameters)/dma_entry_limit"),
            noIOMMUModeIsOn: paths.flag("\(modules)/vfio/parameters/enable_unsafe_noiommu_mode"),
            // Documentation/admin-guide/tainted-kernels.rst: bit 6.
            kernelIsTaintedByUser: (paths.integer("\(paths.kernel.proc)/sys/kernel/tainted") ?? 0) & 1 << 6 != 0)
    }
}

/// The modules that are there for the running kernel.
struct ModuleList {
    private let names: Set<String>

    /// modules.dep names each module's file; those that are built in need no loading.
    static func read(_ paths: HostPaths) -> ModuleList {
        guard let release = paths.line("\(paths.kernel.proc)/sys/kernel/osrelease"), !release.isEmpty, !release.contains("/"),
            let list = try? readSmallFile("\(paths.modules)/\(release)/modules.dep")
        else { return ModuleList(names: []) }
        return ModuleList(names: Set(list.split(separator: "\n").compactMap(name)))
    }

    /// `kernel/drivers/vfio/pci/vfio-pci.ko.xz: …`: vfio_pci. Modules' names know no difference between - and _.
    private static func name(_ line: Substring) -> String? {
        guard let file = line.split(separator: ":").first?.split(separator: "/").last, let name = file.split(separator: ".").first else {
            return nil
        }
        return plain(name)
    }

    private static func plain(_ name: some StringProtocol) -> String { String(name.map { $0 == "-" ? "_" : $0 }) }

    func hasModule(_ name: String) -> Bool { names.contains(ModuleList.plain(name)) }
}
