import LinuxIO

/// What sysfs tells about a PCI function: its driver, its IOMMU group and who else is in it.
package struct SysfsDevice: Equatable, Sendable {
    package struct Member: Equatable, Sendable {
        package let address: String
        /// nil: no driver is bound.
        package let driver: String?
    }

    package let address: PCIAddress
    package let paths: KernelPaths

    package init(address: PCIAddress, paths: KernelPaths) {
        self.address = address
        self.paths = paths
    }

    private var path: String { paths.device(address) }

    package var exists: Bool { (try? FileOwner.of(path)) != nil }

    /// The bound driver's name; nil if none is.
    package var driver: String? { SysfsDevice.linkedName("\(path)/driver") }

    /// The number of the IOMMU group; nil if the function is in none.
    package var group: String? { SysfsDevice.linkedName("\(path)/iommu_group") }

    /// How VFIO names it, `vfioN` (drivers/vfio/vfio_main.c); nil if VFIO does not have it, or has it without an IOMMU.
    var vfioDeviceName: String? {
        ((try? directoryEntryNames("\(path)/vfio-dev")) ?? []).first { name in
            name.hasPrefix("vfio") && name.utf8.count > 4 && name.utf8.dropFirst(4).allSatisfy { (0x30...0x39).contains($0) }
        }
    }

    /// Whether the kernel made a file for it: VFIO_DEVICE_CDEV.
    func hasDeviceNode(_ name: String) -> Bool { (try? FileOwner.of("\(path)/vfio-dev/\(name)/dev")) != nil }

    /// The kernel made the group up: no IOMMU stands behind it (vfio's enable_unsafe_noiommu_mode).
    package var hasNoIOMMUGroup: Bool {
        guard let name = try? readSmallFile("\(path)/iommu_group/name") else { return false }
        return name.split(whereSeparator: \.isWhitespace).first == "vfio-noiommu"
    }

    /// Whether any IOMMU is there at all: a group may come only when a driver binds.
    package var machineHasIOMMU: Bool { ((try? directoryEntryNames("\(paths.sys)/class/iommu")) ?? []).isEmpty == false }

    /// The group's other devices.
    package var siblings: [Member] {
        let names = (try? directoryEntryNames("\(path)/iommu_group/devices")) ?? []
        return names.filter { $0 != address.description }.map { name in
            Member(address: name, driver: SysfsDevice.linkedName("\(path)/iommu_group/devices/\(name)/driver"))
        }
    }

    /// vfio-pci itself and the drivers built on it, such as mlx5_vfio_pci.
    package static func isVFIO(driver: String) -> Bool {
        String(driver.map { $0 == "_" ? "-" : $0 }).hasSuffix("vfio-pci")
    }

    /// Drivers that do no DMA of their own and leave a group viable (Documentation/driver-api/vfio.rst; driver_managed_dma).
    package static func leavesGroupViable(driver: String?) -> Bool {
        guard let driver else { return true }
        return isVFIO(driver: driver) || driver == "pci-stub" || driver == "pcieport"
    }

    private static func linkedName(_ link: String) -> String? {
        guard let target = try? symbolicLinkTarget(of: link) else { return nil }
        return target.split(separator: "/").last.map(String.init)
    }
}
