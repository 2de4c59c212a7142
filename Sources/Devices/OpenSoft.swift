import DeviceAccess
import DeviceModel
import LinuxIO
import NicDriver
import NicModels
import SoftDevice

extension Devices {
    /// A model in this process on a named wire.
    static func openSoft(_ url: DeviceURL) throws(DeviceError) -> any DeviceAccess {
        let mac = try softAddress(url)
        let wire: SharedMemoryWire
        do { wire = try SharedMemoryWire(name: url.location) } catch {
            throw .notUsable(device: url.description, group: nil, reason: "its wire cannot be joined", fix: error.description)
        }
        do throws(SystemCallError) {
            let environment = try DeviceEnvironment(for: E1000EModel<SharedMemoryWire>.functionDescription)
            let model = try E1000EModel(wire: wire, macAddress: mac.bits, environment: environment)
            return SoftDevice(url: url.description, environment: environment, model: model)
        } catch {
            throw .systemCall(device: url.description, group: nil, cause: error, fix: "Free some memory.")
        }
    }

    private static func softAddress(_ url: DeviceURL) throws(DeviceError) -> MACAddress {
        guard let text = url.parameters["mac"] else { return GeneratedAddress.make() }
        guard let address = DeviceURL.stationAddress(text) else {
            throw .notFound(device: url.description, reason: "'\(text)' is no unicast MAC address", fix: "Give one like mac=02:00:00:00:00:01.")
        }
        return address
    }
}
