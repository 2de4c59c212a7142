import DeviceAccess

extension Devices {
    /// Told by which of VFIO's interfaces a device was opened, why not by one before it, and what is given up.
    public typealias BackendNotice = (BackendChoice) -> Void

    /// A PCI function that is bound to vfio-pci.
    static func openKernelVFIO(
        _ url: DeviceURL, allowsNoIOMMU: Bool, notice: BackendNotice
    ) throws(DeviceError) -> any DeviceAccess {
        guard let address = PCIAddress(url.location) else {
            throw .notFound(device: url.description, reason: "'\(url.location)' is no PCI address", fix: "Give one like vfio:0000:01:00.0.")
        }
        let named = url.parameters["iommu"].flatMap { IOMMUBackend(rawValue: $0) }
        let device = try KernelVFIODevice(
            url: url.description, address: address, request: BackendRequest(named: named, allowsNoIOMMU: allowsNoIOMMU))
        notice(device.backendChoice)
        return device
    }
}
