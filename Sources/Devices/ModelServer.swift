public import DeviceAccess
import DeviceModel
import LinuxIO
public import NicDriver
public import VfioUser

/// A NIC model on a wire, offered at a socket to drivers in other processes.
public final class ModelServer {
    private let server: any ServedModel
    public let macAddress: MACAddress

    /// - Parameter model: a `soft:` URL: wire, model and its parameters.
    public init(model: DeviceURL, socketPath: String, options: ServerOptions) throws(DeviceError) {
        guard model.scheme == .soft else {
            throw .notUsable(
                device: model.description, group: nil, reason: "it is no model", fix: "Give a soft: URL, for example soft:lab?nic=e1000e.")
        }
        let host = SocketHost(path: socketPath, options: options)
        (server, macAddress) = try model.makeModel(for: host, device: "vfio-user:\(socketPath)")
    }

    /// For other threads: ending it, and what it has done.
    public var control: ServerControl { server.control }

    /// Serves one client after the other until it is stopped.
    /// - Parameter ready: called once clients can connect.
    public func serve(ready: () -> Void) throws(ServerError) { try server.serve(ready: ready) }
}

/// A server, whatever its model.
private protocol ServedModel {
    var control: ServerControl { get }
    func serve(ready: () -> Void) throws(ServerError)
}

extension VfioUserServer: ServedModel where Model: ~Copyable {}

private struct SocketHost: ModelHost {
    let path: String
    let options: ServerOptions

    func host<Model: DeviceModel & ~Copyable>(
        _ model: consuming Model, in environment: DeviceEnvironment
    ) throws(SystemCallError) -> any ServedModel {
        try VfioUserServer(model: model, environment: environment, socketPath: path, options: options)
    }
}
