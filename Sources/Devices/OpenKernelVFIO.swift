import DeviceAccess

extension Devices {
    static func openKernelVFIO(_ url: DeviceURL) throws(DeviceError) -> any DeviceAccess {
        throw .notUsable(device: url.description, group: nil, reason: "vfio: devices are not part of this build", fix: "Use another device.")
    }
}
