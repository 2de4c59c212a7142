import DeviceAccess
import DeviceModel
import LinuxIO
import SoftDevice

extension Devices {
    /// A NIC model in this process on a named wire. The thread that opens it steps the model.
    static func openSoft(_ url: DeviceURL) throws(DeviceError) -> any DeviceAccess {
        try url.makeModel(for: SoftHost(url: url.description), device: url.description).hosted
    }
}

private struct SoftHost: ModelHost {
    let url: String

    func host<Model: DeviceModel & ~Copyable>(
        _ model: consuming Model, in environment: DeviceEnvironment
    ) throws(SystemCallError) -> any DeviceAccess {
        SoftDevice(url: url, environment: environment, model: model)
    }
}
