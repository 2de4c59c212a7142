public import DeviceAccess
import DeviceModel
import LinuxIO
import NicModels
public import NicDriver
public import VfioUser

/// A NIC model on a wire, offered at a socket to drivers in other processes.
public final class ModelServer {
    private let server: VfioUserServer<E1000EModel<SharedMemoryWire>>
    public let macAddress: MACAddress

    /// - Parameters:
    ///   - wire: a wire's name.
    ///   - macAddress: nil for a made-up one.
    public init(wire: String, macAddress: MACAddress?, socketPath: String, options: ServerOptions) throws(DeviceError) {
        let url = "vfio-user:\(socketPath)"
        let address = macAddress ?? GeneratedAddress.make()
        let end: SharedMemoryWire
        do { end = try SharedMemoryWire(name: wire) } catch {
            throw .notUsable(device: url, group: nil, reason: "wire \(wire) cannot be joined", fix: error.description)
        }
        do throws(SystemCallError) {
            let environment = try DeviceEnvironment(for: E1000EModel<SharedMemoryWire>.functionDescription)
            let model = try E1000EModel(wire: end, macAddress: address.bits, environment: environment)
            server = try VfioUserServer(model: model, environment: environment, socketPath: socketPath, options: options)
        } catch {
            throw .systemCall(device: url, group: nil, cause: error, fix: "Free some memory, or raise the limit of open files (ulimit -n).")
        }
        self.macAddress = address
    }

    /// For other threads: ending it, and what it has done.
    public var control: ServerControl { server.control }

    /// Serves one client after the other until it is stopped.
    /// - Parameter ready: called once clients can connect.
    public func serve(ready: () -> Void) throws(ServerError) { try server.serve(ready: ready) }
}
