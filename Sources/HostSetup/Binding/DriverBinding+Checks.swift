import DeviceAccess

extension DriverBinding {
    /// What can be said before anything is touched.
    func check(_ address: PCIAddress, _ options: Options) throws(BindError) {
        guard let function = function(address) else { throw .noSuchFunction("\(address)") }
        // Nothing will be taken from anybody.
        guard function.driver != options.driver else { return }
        if SysfsDevice.isVFIO(driver: options.driver) { try checkIOMMU(function) }
        guard !options.force else { return }
        try checkNobodyNeedsIt(function)
        if function.isBoundToVFIO { try checkNobodyUsesIt(function) }
    }

    /// vfio refuses a device without a group (EINVAL), after its old driver has let it go: better said before.
    private func checkIOMMU(_ function: PCIFunction) throws(BindError) {
        guard function.group == nil, IOMMUFacts.read(paths).units.isEmpty, VFIOFacts.read(paths).noIOMMUModeIsOn != true else { return }
        throw .impossible(
            "\(function.address)", reason: "this machine has no IOMMU, and vfio-pci takes no device without",
            fix: "`unic doctor` says what can be done.")
    }

    private func checkNobodyNeedsIt(_ function: PCIFunction) throws(BindError) {
        let name = "\(function.address)"
        if let interface = function.interfaces.first(where: \.carriesDefaultRoute) {
            throw .needed(
                name, reason: "its interface \(interface.name) carries the default route, by which this machine is reached",
                fix: "Use another NIC, or --force if you have another way in.")
        }
        if let interface = function.interfaces.first(where: \.isUp) {
            throw .needed(
                name, reason: "its interface \(interface.name) is up", fix: "`ip link set \(interface.name) down` first, or --force.")
        }
        if function.interfaceMayBeElsewhere {
            throw .needed(
                name,
                reason:
                    "\(function.driver ?? "a kernel driver") has it and its interface is not in this network namespace, so that nobody here can say whether it is in use",
                fix: "`ip -all netns exec ip link` finds it; --force takes it all the same.")
        }
    }

    /// Unbinding waits until the last user has closed the device (vfio_unregister_group_dev), for ever if need be.
    func checkNobodyUsesIt(_ function: PCIFunction) throws(BindError) {
        let holders = Set((function.groupNode?.holders ?? []) + (function.deviceNode?.holders ?? [])).sorted()
        guard !holders.isEmpty else { return }
        throw .needed(
            "\(function.address)", reason: "it is in use by \(holders.joined(separator: ", "))",
            fix: "End that first; --force asks it to let go and waits until it has.")
    }
}
