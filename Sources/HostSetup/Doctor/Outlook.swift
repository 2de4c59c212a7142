/// What a NIC can be reached through, and what stands in the way of the others.
public struct Outlook: Equatable, Sendable {
    public enum Backend: String, Sendable, CaseIterable {
        case iommufd
        case type1
        /// Without an IOMMU; only when it is asked for.
        case noIOMMU = "noiommu"
    }

    public struct Way: Equatable, Sendable {
        public let backend: Backend
        /// nil: it will work.
        public let obstacle: String?
    }

    public let function: PCIFunction
    /// In the order in which they are tried.
    public let ways: [Way]

    public var working: [Backend] { ways.filter { $0.obstacle == nil }.map(\.backend) }

    init(_ function: PCIFunction, _ facts: HostFacts) {
        self.function = function
        ways = Backend.allCases.map { Way(backend: $0, obstacle: Outlook.obstacle(to: $0, function, facts)) }
    }

    private static func obstacle(to backend: Backend, _ function: PCIFunction, _ facts: HostFacts) -> String? {
        guard function.family?.driver != nil else { return "unic has no driver for \(function.identity)" }
        guard function.isBoundToVFIO else { return "it is not bound to vfio-pci" }
        guard let group = function.group else { return "it is in no IOMMU group" }
        if let obstacle = fileObstacle(to: backend, function, facts.vfio) { return obstacle }
        switch backend {
        case .noIOMMU:
            if !group.isNoIOMMU { return "an IOMMU keeps the device to its memory; this is for where none does" }
            if !facts.caller.mayUseNoIOMMU { return "the caller lacks CAP_SYS_RAWIO or CAP_SYS_ADMIN" }
            return nil
        case .type1, .iommufd:
            if group.isNoIOMMU { return "its group has no IOMMU behind it" }
            if !function.groupIsViable { return "kernel drivers hold other devices of group \(group.number)" }
            let allowed = backend == .type1 ? facts.vfio.containerAllowsUnsafeInterrupts : facts.vfio.iommufdAllowsUnsafeInterrupts
            if facts.iommu.interruptsAreRemapped == false, allowed != true { return "interrupts are not remapped" }
            if !facts.caller.canLockEnough { return "the caller may lock too little memory" }
            return nil
        }
    }

    /// The files that a backend opens.
    private static func fileObstacle(to backend: Backend, _ function: PCIFunction, _ vfio: VFIOFacts) -> String? {
        if backend == .iommufd {
            guard let iommu = vfio.iommu else { return "there is no /dev/iommu" }
            guard iommu.isOpenToCaller else { return "\(iommu.path) is closed to the caller" }
            guard let node = function.deviceNode else { return "the device has no file in /dev/vfio/devices" }
            return node.isOpenToCaller ? nil : "\(node.path) is closed to the caller"
        }
        guard let container = vfio.container else { return "there is no /dev/vfio/vfio" }
        guard container.isOpenToCaller else { return "\(container.path) is closed to the caller" }
        guard backend == .noIOMMU || vfio.type1 == .present || vfio.iommu != nil else { return "vfio_iommu_type1 is not loaded" }
        guard let node = function.groupNode else { return "the group has no file in /dev/vfio" }
        return node.isOpenToCaller ? nil : "\(node.path) is closed to the caller"
    }
}

extension PCIFunction {
    /// No kernel driver that does DMA has another device of the group.
    public var groupIsViable: Bool { group?.others.contains(where: \.holdsGroup) != true }
}

extension VFIOFacts {
    /// The container is vfio_iommu_type1's; without that module, iommufd stands in for it (CONFIG_IOMMUFD_VFIO_CONTAINER).
    var containerAllowsUnsafeInterrupts: Bool? { type1AllowsUnsafeInterrupts ?? iommufdAllowsUnsafeInterrupts }
}

extension CallerFacts {
    /// Two ports with packets of 1518 bytes take 8 MiB and their rings, with jumbo packets 48 MiB.
    public static var wantedLockedMemory: UInt64 { 64 << 20 }

    var canLockEnough: Bool {
        guard !mayLockAnything, let lockedMemoryLimit else { return true }
        return lockedMemoryLimit >= CallerFacts.wantedLockedMemory
    }
}
