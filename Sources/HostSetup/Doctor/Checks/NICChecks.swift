import DeviceAccess

/// Each NIC: who has it, whether its group can be given away, whether its files are open, SR-IOV.
enum NICChecks {
    static func findings(_ facts: HostFacts, _ outlooks: [Outlook], device: PCIAddress?) -> [Finding] {
        guard !outlooks.isEmpty else {
            let text = device.map { "There is no PCI function \($0)." } ?? "There is no PCI network controller."
            return [.problem(.nic, text, advice: "`unic list --all` shows every PCI function. A container sees them if it sees /sys.")]
        }
        let isAnyReady = outlooks.contains { !$0.working.isEmpty }
        return outlooks.flatMap { outlook in
            [holder(outlook, facts, isNeeded: !isAnyReady)] + [group(outlook.function, facts), files(outlook, facts)].compactMap { $0 }
                + virtualFunctions(outlook.function)
        }
    }

    /// Which driver has it.
    private static func holder(_ outlook: Outlook, _ facts: HostFacts, isNeeded: Bool) -> Finding {
        let function = outlook.function
        let name = "\(function.address)"
        guard function.family?.driver != nil else {
            return .note(.nic, device: name, "\(function.title) is no NIC that unic drives.")
        }
        if function.isBoundToVFIO {
            let holders = Set((function.groupNode?.holders ?? []) + (function.deviceNode?.holders ?? [])).sorted()
            guard !holders.isEmpty else {
                return .ok(.nic, device: name, "\(function.title) is bound to \(function.driver ?? "vfio-pci").")
            }
            return .note(.nic, device: name, "\(function.title) is bound, and in use by \(holders.joined(separator: ", ")).")
        }
        let (text, fix, advice) = unbound(function, facts)
        return isNeeded
            ? .problem(.nic, device: name, text, fix: fix, advice: advice) : .note(.nic, device: name, text, fix: fix, advice: advice)
    }

    private static func unbound(_ function: PCIFunction, _ facts: HostFacts) -> (text: String, fix: String?, advice: String?) {
        let text = "\(function.title) is bound to \(function.driver ?? "no driver"), not to vfio-pci"
        if let interface = function.interfaces.first(where: \.carriesDefaultRoute) {
            return (
                "\(text), and \(interface.name) carries the default route.", nil,
                "It is how this machine is reached: use another NIC, or `unic bind --force \(function.address)` from the console."
            )
        }
        if function.interfaceMayBeElsewhere {
            return (
                "\(text); its interface is not in this network namespace.", nil,
                "`ip -all netns exec ip link` finds it. If nobody needs it: `unic bind --force \(function.address)`."
            )
        }
        guard canBind(function, facts) else {
            return ("\(text).", nil, "vfio-pci will not take it as long as there is no IOMMU, or no vfio-pci: see above.")
        }
        return ("\(text).", bindCommand(function), nil)
    }

    /// vfio-pci takes a device with a group, and one without in no-IOMMU mode. virtio-iommu makes groups at binding.
    private static func canBind(_ function: PCIFunction, _ facts: HostFacts) -> Bool {
        facts.vfio.pciDriver != .missing && (function.group != nil || !facts.iommu.units.isEmpty || facts.vfio.noIOMMUModeIsOn == true)
    }

    private static func bindCommand(_ function: PCIFunction) -> String {
        let down = function.interfaces.filter(\.isUp).map { "ip link set \($0.name) down && " }.joined()
        return "\(down)unic bind \(function.address)"
    }

    private static func group(_ function: PCIFunction, _ facts: HostFacts) -> Finding? {
        guard function.family?.driver != nil, let group = function.group else { return nil }
        let name = "\(function.address)"
        let holding = group.others.filter(\.holdsGroup)
        guard !holding.isEmpty else {
            let with = group.others.isEmpty ? "alone" : "with \(group.others.map(\.address).joined(separator: ", "))"
            return .ok(
                .group, device: name, "\(function.title) is \(with) in group \(group.number)\(group.isNoIOMMU ? ", without an IOMMU" : "")."
            )
        }
        let names = holding.map { "\($0.address) (\($0.driver ?? "no driver"))" }.joined(separator: ", ")
        let siblings = holding.compactMap { member in PCIAddress(member.address).flatMap(facts.function) }
        let isSafe = siblings.count == holding.count && siblings.allSatisfy { isSpare($0, facts) }
        return .problem(
            .group, device: name,
            "Group \(group.number) of \(function.title) cannot be given away while kernel drivers have other devices of it: \(names).",
            fix: isSafe ? siblings.map(bindCommand).joined(separator: " && ") : nil,
            advice: isSafe
                ? "Better is a slot behind a port with ACS, for a group of its own."
                : "Put the NIC behind a port with ACS, or give the others to vfio-pci if the machine can do without them (`unic bind`).")
    }

    /// A NIC that nobody needs for reaching the machine. Anything else may be a disk.
    private static func isSpare(_ function: PCIFunction, _ facts: HostFacts) -> Bool {
        function.isNetworkController && !function.interfaceMayBeElsewhere && !function.interfaces.contains(where: \.carriesDefaultRoute)
    }

    private static func files(_ outlook: Outlook, _ facts: HostFacts) -> Finding? {
        let function = outlook.function
        guard function.isBoundToVFIO, function.family?.driver != nil else { return nil }
        let name = "\(function.address)"
        let nodes = [function.groupNode, function.deviceNode].compactMap { $0 }
        guard !nodes.isEmpty else {
            return .problem(
                .permissions, device: name, "\(function.title) is bound, and has no file in /dev/vfio.",
                advice: "In a container, pass it in: --device /dev/vfio/\(function.group?.number ?? "N").")
        }
        let closed = nodes.filter { !$0.isOpenToCaller }
        guard !closed.isEmpty else { return nil }
        let user = facts.caller.user
        let paths = closed.map(\.path).joined(separator: " ")
        let text = "\(paths) \(closed.count == 1 ? "is" : "are") closed to \(user.name): \(VFIOChecks.describe(closed[0]))."
        let fix = "chown \(user.shellName) \(paths)"
        let advice = "At each start: `unic bind --owner \(user.shellName) \(name)`, or a udev rule for SUBSYSTEM==\"vfio\"."
        return outlook.working.isEmpty
            ? .problem(.permissions, device: name, text, fix: fix, advice: advice)
            : .note(.permissions, device: name, text, fix: fix, advice: advice)
    }

    private static func virtualFunctions(_ function: PCIFunction) -> [Finding] {
        guard let sriov = function.sriov else { return [] }
        let name = "\(function.address)"
        if let physical = sriov.physicalFunction {
            return [.ok(.sriov, device: name, "\(function.title) is a virtual function of \(physical).")]
        }
        let text = "\(function.title) has \(sriov.virtualFunctionCount) of \(sriov.maximumVirtualFunctionCount) virtual functions"
        guard sriov.virtualFunctionCount == 0 else { return [.ok(.sriov, device: name, "\(text).")] }
        guard function.driver != nil, !function.isBoundToVFIO else {
            let advice = function.isBoundToVFIO ? "`unic unbind \(name)` gives it back." : "None is bound; `lspci -k -s \(name)` names it."
            return [.note(.sriov, device: name, "\(text).", advice: "They are made by its kernel driver. \(advice)")]
        }
        let up = function.interfaces.filter { !$0.isUp }.map { "ip link set \($0.name) up && " }.joined()
        let count = min(2, sriov.maximumVirtualFunctionCount)
        return [
            .note(
                .sriov, device: name, "\(text): each would be a NIC for one process.",
                fix: "\(up)echo \(count) > /sys/bus/pci/devices/\(name)/sriov_numvfs")
        ]
    }
}
