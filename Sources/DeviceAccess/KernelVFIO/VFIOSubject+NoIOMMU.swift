import LinuxIO

extension VFIOSubject {
    /// How to get along without an IOMMU, knowing what that means.
    static let allowNoIOMMU =
        "As root: `echo Y > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode`, then bind the device to vfio-pci anew; the kernel needs CONFIG_VFIO_NOIOMMU."

    /// What can be said about a function that shall be used without an IOMMU.
    /// - Returns: the number of the group that vfio made for it.
    func checkNoIOMMUSetup() throws(DeviceError) -> String {
        let driver = sysfs.driver
        guard let group = sysfs.group else {
            guard let driver, SysfsDevice.isVFIO(driver: driver) else { throw notBound(driver: driver) }
            throw notUsable(
                "\(address) has no group: vfio's mode without an IOMMU is off or came later than the driver", fix: VFIOSubject.allowNoIOMMU)
        }
        guard sysfs.hasNoIOMMUGroup else {
            throw notUsable(
                "\(address) has an IOMMU (group \(group))", fix: "Leave iommu=noiommu out: iommufd or type1 serve it, and safely.")
        }
        guard let driver, SysfsDevice.isVFIO(driver: driver) else { throw notBound(driver: driver) }
        return group
    }
}
