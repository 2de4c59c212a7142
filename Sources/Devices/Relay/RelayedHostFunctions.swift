import DeviceAccess
import DeviceMemory
import HostBack
import IOMMURelay

/// Functions of this machine that a relay gives on, and the address spaces that a guest's domains become in its IOMMU. All of
/// them go by one of VFIO's interfaces: iommufd if the kernel has it, else type 1.
final class RelayedHostFunctions {
    /// A function, open, whose DMA is blocked.
    struct Opened {
        let device: KernelVFIODevice
        let back: any EndpointBack
        /// The memory that its mappings lie in.
        let guest: DMASpace
    }

    /// The guest's memory by its own addresses; nil: each function has what its connection shows, at IOVAs, to itself.
    private let guest: DMASpace?
    private let interfaces: RelayedHostInterfaces
    /// Of all functions that share the guest's memory.
    private var domains: IOMMUFDDomains<IOAS>?
    /// By the host's group.
    private var groups: [Int: (space: Type1AddressSpace, group: Type1Group<Type1AddressSpace>)] = [:]
    private(set) var limits: [DMALimits] = []
    /// Called between pieces of the host's mappings, where many are carried out in one call.
    var betweenPieces: () -> Void = {}

    init(guest: DMASpace?, _ interfaces: RelayedHostInterfaces) {
        self.guest = guest
        self.interfaces = interfaces
    }

    /// - Parameter group: the host's, as the plan has it.
    func open(_ url: DeviceURL, group: Int) throws(DeviceError) -> Opened {
        guard let address = PCIAddress(url.location) else {
            throw .notFound(device: url.description, reason: "'\(url.location)' is no PCI address", fix: "Give one like vfio:0000:01:00.0.")
        }
        let opened: Opened
        switch url.parameters["iommu"].flatMap({ IOMMUBackend(rawValue: $0) }) {
        case .iommufd: opened = try openByIOMMUFD(url, address)
        case .type1: opened = try openByType1(url, address, group)
        case .noiommu:
            throw .notUsable(
                device: url.description, group: nil, reason: "without an IOMMU nothing keeps a guest out of the host's memory",
                fix: "Use a machine with an IOMMU, and leave ?iommu= out.")
        case nil:
            guard groups.isEmpty, let byIOMMUFD = try? openByIOMMUFD(url, address) else {
                return try remember(try openByType1(url, address, group))
            }
            opened = byIOMMUFD
        }
        return try remember(opened)
    }

    private func remember(_ opened: Opened) throws(DeviceError) -> Opened {
        try interfaces.guardian?.add(opened.device)
        limits.append(opened.device.dmaLimits)
        return opened
    }

    private func openByIOMMUFD(_ url: DeviceURL, _ address: PCIAddress) throws(DeviceError) -> Opened {
        let context = try interfaces.context(url, address)
        let device = try KernelVFIODevice(url: url.description, address: address, context: context)
        try interfaces.keep(context, url)
        let memory = guest ?? DMASpace()
        let domains =
            domains ?? IOMMUFDDomains(guest: memory) { [interfaces] () throws(DeviceError) in try interfaces.makeAddressSpace(context) }
        domains.betweenPieces = { [weak self] in self?.betweenPieces() }
        if guest != nil { self.domains = domains }
        return Opened(device: device, back: IOMMUFDBack(device: device, domains: domains), guest: memory)
    }

    private func openByType1(_ url: DeviceURL, _ address: PCIAddress, _ number: Int) throws(DeviceError) -> Opened {
        let space = if let known = groups[number]?.space { known } else { try Type1AddressSpace(url: url.description, address: address) }
        let device = try KernelVFIODevice(url: url.description, address: address, space: space)
        if groups[number] == nil { try interfaces.guardian?.add(space, name: "group \(number)", for: url.description) }
        // With memory to itself it is the only one of its group: the plan sees to that.
        let memory = guest ?? DMASpace()
        let held = groups[number]?.group ?? Type1Group(space: space, guest: memory)
        held.betweenPieces = { [weak self] in self?.betweenPieces() }
        groups[number] = (space, held)
        return Opened(device: device, back: Type1Back(group: held), guest: memory)
    }

    /// The guest's memory became another; what went is still there until this returns.
    func guestMemoryChanged() {
        domains?.guestMemoryChanged()
        for group in groups.values { group.group.guestMemoryChanged() }
    }
}
