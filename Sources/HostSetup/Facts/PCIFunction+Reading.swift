import DeviceAccess
import LinuxIO

extension PCIFunction {
    /// All functions of the machine, ascending by address.
    static func all(_ paths: HostPaths) -> [PCIFunction] {
        let routes = DefaultRoutes.interfaces(paths)
        return paths.names("\(paths.kernel.sys)/bus/pci/devices").compactMap { PCIAddress($0) }.sorted().compactMap {
            PCIFunction(address: $0, paths: paths, defaultRoutes: routes)
        }
    }

    /// Reads one function; nil if there is none at the address, or what is there does not look like one.
    init?(address: PCIAddress, paths: HostPaths, defaultRoutes: Set<String>) {
        let path = paths.kernel.device(address)
        let sysfs = SysfsDevice(address: address, paths: paths.kernel)
        guard let vendor = paths.hexadecimal("\(path)/vendor").flatMap(UInt16.init(exactly:)),
            let device = paths.hexadecimal("\(path)/device").flatMap(UInt16.init(exactly:)),
            let classCode = paths.hexadecimal("\(path)/class")
        else { return nil }
        let driver = paths.linkedName("\(path)/driver")
        let interfaces = PCIFunction.interfaces(path, paths, defaultRoutes)
        self.address = address
        self.vendor = vendor
        self.device = device
        self.classCode = classCode
        self.driver = driver
        isBoundToVFIO = driver.map { SysfsDevice.isVFIO(driver: $0) } ?? false
        self.interfaces = interfaces
        interfaceMayBeElsewhere =
            classCode >> 16 == 0x02 && interfaces.isEmpty && PCIFunction.hasNetworkDriver(path, driver: driver, paths)
        let group = PCIFunction.group(sysfs, path: path, paths)
        self.group = group
        groupNode = group.flatMap { Node(paths.kernel.group(($0.isNoIOMMU ? "noiommu-" : "") + $0.number), paths) }
        deviceNode = paths.names("\(path)/vfio-dev").first.flatMap { Node("\(paths.kernel.dev)/vfio/devices/\($0)", paths) }
        numaNode = paths.integer("\(path)/numa_node").flatMap { $0 >= 0 ? $0 : nil }
        sriov = SRIOV(path: path, paths)
    }

    /// A virtio function's interfaces are its virtio device's.
    private static func interfaces(_ path: String, _ paths: HostPaths, _ routes: Set<String>) -> [Interface] {
        let places = [path] + virtioChildren(path, paths).map { "\(path)/\($0)" }
        return places.flatMap { place in
            paths.names("\(place)/net").map { name in
                let directory = "\(place)/net/\(name)"
                let flags = paths.hexadecimal("\(directory)/flags") ?? 0
                return Interface(
                    name: HostPaths.printable(name), isUp: flags & 1 != 0,  // IFF_UP, linux/if.h
                    operationalState: paths.line("\(directory)/operstate") ?? "unknown", carriesDefaultRoute: routes.contains(name))
            }
        }
    }

    private static func virtioChildren(_ path: String, _ paths: HostPaths) -> [String] {
        paths.names(path).filter { $0.hasPrefix("virtio") && Int($0.dropFirst(6)) != nil }
    }

    private static func hasNetworkDriver(_ path: String, driver: String?, _ paths: HostPaths) -> Bool {
        guard let driver, !SysfsDevice.isVFIO(driver: driver), !["pci-stub", "uio_pci_generic", "igb_uio"].contains(driver) else {
            return false
        }
        guard driver == "virtio-pci" else { return true }
        return virtioChildren(path, paths).contains { paths.linkedName("\(path)/\($0)/driver") != nil }
    }

    private static func group(_ sysfs: SysfsDevice, path: String, _ paths: HostPaths) -> Group? {
        guard let number = paths.linkedName("\(path)/iommu_group"), UInt32(number) != nil else { return nil }
        let others = sysfs.siblings.map { sibling in
            Member(
                address: HostPaths.printable(sibling.address), driver: sibling.driver.map(HostPaths.printable),
                holdsGroup: !SysfsDevice.leavesGroupViable(driver: sibling.driver))
        }
        return Group(number: number, isNoIOMMU: sysfs.hasNoIOMMUGroup, others: others)
    }
}

extension PCIFunction.Node {
    /// nil if there is no such file.
    init?(_ path: String, _ paths: HostPaths) {
        guard let owner = try? FileOwner.of(path) else { return nil }
        self.init(
            path: path, owner: owner.user, permissions: owner.permissions, isOpenToCaller: mayReadAndWrite(path),
            holders: DescriptorHolders.of(path, paths: paths.kernel).map(HostPaths.printable))
    }
}

extension PCIFunction.SRIOV {
    /// nil for a function that is neither side of SR-IOV (Documentation/ABI/testing/sysfs-bus-pci).
    init?(path: String, _ paths: HostPaths) {
        let physical = paths.linkedName("\(path)/physfn")
        let maximum = paths.integer("\(path)/sriov_totalvfs") ?? 0
        guard physical != nil || maximum > 0 else { return nil }
        self.init(
            physicalFunction: physical, virtualFunctionCount: paths.integer("\(path)/sriov_numvfs") ?? 0,
            maximumVirtualFunctionCount: maximum)
    }
}
