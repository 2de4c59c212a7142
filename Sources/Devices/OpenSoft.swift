import DeviceAccess
import DeviceModel
import LinuxIO
import NicModels
import SoftDevice

extension Devices {
    /// A NIC model in this process on a named wire. The thread that opens it steps the model.
    static func openSoft(_ url: DeviceURL) throws(DeviceError) -> any DeviceAccess {
        let wire: SharedMemoryWire
        do { wire = try SharedMemoryWire(name: url.location) } catch {
            throw .notUsable(device: url.description, group: nil, reason: "its wire could not be joined", fix: error.description)
        }
        let address = url.parameters["mac"].flatMap(DeviceURL.stationAddress) ?? GeneratedAddress.make()
        do {
            switch url.parameters["nic"] {
            case "igbvf":
                let environment = try DeviceEnvironment(for: IgbvfModel<SharedMemoryWire>.functionDescription)
                let model = try IgbvfModel(wire: wire, macAddress: address.bits, environment: environment)
                return SoftDevice(url: url.description, environment: environment, model: model)
            default:
                let environment = try DeviceEnvironment(for: E1000EModel<SharedMemoryWire>.functionDescription)
                let model = try E1000EModel(wire: wire, macAddress: address.bits, environment: environment)
                return SoftDevice(url: url.description, environment: environment, model: model)
            }
        } catch {
            throw .systemCall(
                device: url.description, group: nil, cause: error, fix: "Free some memory, or raise the limit of open files (ulimit -n).")
        }
    }
}
