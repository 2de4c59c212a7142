import DeviceAccess

extension Devices {
    /// A PCI function that is bound to vfio-pci.
    static func openKernelVFIO(_ url: DeviceURL) throws(DeviceError) -> any DeviceAccess {
        guard let address = PCIAddress(url.location) else {
            throw .notFound(device: url.description, reason: "'\(url.location)' is no PCI address", fix: "Give one like vfio:0000:01:00.0.")
        }
        if let iommu = url.parameters["iommu"], iommu != "type1" {
            throw .notUsable(
                device: url.description, group: nil, reason: "the IOMMU interface \(iommu) is not supported yet",
                fix: "Say iommu=type1, or leave it out.")
        }
        return try KernelVFIODevice(url: url.description, address: address)
    }
}
