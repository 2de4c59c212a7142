import CopyEngine
import DeviceModel
import LinuxIO
import VfioUser

// The device model of docs/device-models.md, served until SIGINT or SIGTERM:
//     copy-engine /tmp/copy.sock

guard CommandLine.arguments.count == 2, let path = CommandLine.arguments.last else {
    StandardStream.error.write("copy-engine SOCKET\n")
    exitProcess(64)
}
do {
    let environment = try DeviceEnvironment(for: CopyEngine.functionDescription)
    let engine = try CopyEngine(environment: environment)
    let server = try VfioUserServer(model: engine, environment: environment, socketPath: path)
    try server.serve { StandardStream.error.write("a copy engine is served at vfio-user:\(path)\n") }
} catch {
    StandardStream.error.write("\(error)\n")
    exitProcess(1)
}
