/// Whether the kernel's VFIO is there, and open to the caller.
enum VFIOChecks {
    static func findings(_ facts: HostFacts) -> [Finding] {
        [modules(facts.vfio), iommufd(facts)] + permissions(facts)
    }

    private static func modules(_ vfio: VFIOFacts) -> Finding {
        // vfio_iommu_type1 has no name of its own on a PCI bus: nothing but this loads it.
        let hasContainer = vfio.type1 == .present || vfio.iommu != nil
        var missing: [String] = []
        if vfio.pciDriver != .present { missing.append("vfio-pci") }
        if !hasContainer { missing.append("vfio_iommu_type1") }
        if missing.isEmpty {
            guard vfio.container != nil || vfio.iommu != nil else {
                return .problem(
                    .vfio, "VFIO is loaded and has no file /dev/vfio/vfio.",
                    advice: "In a container, pass /dev/vfio in (--device /dev/vfio).")
            }
            return .ok(.vfio, "VFIO is there: \((["vfio-pci"] + (vfio.type1 == .present ? ["type1"] : [])).joined(separator: ", ")).")
        }
        let isLoadable = (vfio.pciDriver == .present || vfio.pciDriver == .loadable) && (hasContainer || vfio.type1 == .loadable)
        let text = "\(missing.joined(separator: " and ")) \(missing.count == 1 ? "is" : "are") not loaded"
        guard isLoadable else {
            return .problem(
                .vfio, "\(text), and no module of this kernel is it.",
                advice:
                    "It wants a kernel with CONFIG_VFIO_PCI and CONFIG_VFIO_IOMMU_TYPE1; a container sees its host's modules in /lib/modules."
            )
        }
        return .problem(.vfio, "\(text).", fix: missing.map { "modprobe \($0)" }.joined(separator: " && "))
    }

    private static func iommufd(_ facts: HostFacts) -> Finding {
        switch facts.vfio.iommufd {
        case .present:
            let bound = facts.networkControllers.filter(\.isBoundToVFIO)
            guard bound.isEmpty || bound.contains(where: { $0.deviceNode != nil }) else {
                return .note(
                    .iommufd, "/dev/iommu is there, and devices have no files in /dev/vfio/devices: unic uses groups.",
                    advice: "It wants a kernel with CONFIG_VFIO_DEVICE_CDEV.")
            }
            return .ok(.iommufd, "/dev/iommu is there.")
        case .loadable: return .note(.iommufd, "iommufd is not loaded: unic uses groups and type1.", fix: "modprobe iommufd")
        case .missing: return .note(.iommufd, "This kernel has no iommufd: unic uses groups and type1.")
        }
    }

    private static func permissions(_ facts: HostFacts) -> [Finding] {
        var found: [Finding] = []
        let user = facts.caller.user
        if let container = facts.vfio.container, !container.isOpenToCaller {
            found.append(
                .problem(
                    .permissions, "\(container.path) is closed to \(user.name): \(describe(container)).",
                    fix: "chmod 666 \(container.path)",
                    advice: "It is meant to be open to all: what counts is a group's file."))
        }
        if let iommu = facts.vfio.iommu, !iommu.isOpenToCaller {
            found.append(
                .note(
                    .permissions, "\(iommu.path) is closed to \(user.name): \(describe(iommu)). unic uses groups and type1.",
                    fix: "chown \(user.shellName) \(iommu.path)",
                    advice: "For several users: a group of theirs, chgrp and chmod 660."))
        }
        return found
    }

    /// Owner and mode of a file, in words.
    static func describe(_ node: PCIFunction.Node) -> String {
        "it belongs to user \(node.owner), mode \(String(node.permissions, radix: 8))"
    }
}
