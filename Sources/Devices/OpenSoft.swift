import DeviceAccess

extension Devices {
    static func openSoft(_ url: DeviceURL) throws(DeviceError) -> any DeviceAccess {
        throw .notUsable(device: url.description, group: nil, reason: "soft: devices are not part of this build", fix: "Use another device.")
    }
}
