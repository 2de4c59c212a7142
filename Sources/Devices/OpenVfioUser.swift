import DeviceAccess
import VfioUser

extension Devices {
    /// A device that another process serves at a socket.
    static func openVfioUser(_ url: DeviceURL) throws(DeviceError) -> any DeviceAccess {
        try VfioUserDevice(url: url.description, socketPath: url.location)
    }
}
