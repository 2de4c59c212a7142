import DeviceAccess
import LinuxIO

extension ClientConnection {
    /// Connects, trying again while the server's queue is full.
    static func connect(device: String, path: String, timeoutMilliseconds: UInt64) throws(DeviceError) -> UnixSocket {
        guard !path.isEmpty, path.utf8.count <= UnixSocket.maximumPathByteCount else {
            throw .notFound(
                device: device, reason: "a socket's path has 1 to \(UnixSocket.maximumPathByteCount) bytes",
                fix: "Give the path of the server's socket, for example vfio-user:/run/nic.sock.")
        }
        let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
        while true {
            do throws(SystemCallError) {
                return try UnixSocket.connect(to: path)
            } catch {
                switch error.errno {
                case .noSuchFileOrDirectory:
                    throw .notFound(
                        device: device, reason: "there is no socket at \(path)", fix: "Start the server first: unic serve --socket \(path)."
                    )
                case .connectionRefused:
                    throw .notUsable(
                        device: device, group: nil, reason: "nobody listens at \(path)",
                        fix: "The server that made it is gone, or it is no socket: start unic serve --socket \(path) again.")
                case .wouldBlock where !deadline.hasPassed: _ = waitForEvents([], timeoutMilliseconds: 10)
                case .wouldBlock:
                    throw .timedOut(device: device, waitingFor: "room in the server's queue", milliseconds: timeoutMilliseconds)
                default:
                    throw .systemCall(device: device, group: nil, cause: error, fix: "Check the permissions of \(path).")
                }
            }
        }
    }
}
