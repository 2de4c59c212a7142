public import LinuxIO
import SystemPackage

/// Why a server cannot listen at a path. Each message says what to do next.
public enum ServerError: Error, CustomStringConvertible {
    case pathTooLong(path: String, limit: Int)
    case pathInUse(path: String)
    case notASocket(path: String)
    case systemCall(SystemCallError)

    public var description: String {
        switch self {
        case .pathTooLong(let path, let limit):
            "\(path): a socket's path has at most \(limit) bytes, this one \(path.utf8.count). Choose a shorter one, for example in /run."
        case .pathInUse(let path): "\(path): another server listens there. Stop it, or choose another path."
        case .notASocket(let path): "\(path): there is a file that is no socket. Remove it, or choose another path."
        case .systemCall(let error): "\(error) Check that the directory exists and may be written to."
        }
    }
}

/// A listening socket and its file, which goes with it.
final class ListeningSocket: Sendable {
    /// Clients that wait while one is served; each is told so at once, so a few are enough.
    static let backlog: Int32 = 16

    let socket: UnixSocket
    private let path: String
    private let identity: PathIdentity?

    /// Takes the path over from a server that is dead, never from one that is alive.
    init(at path: String) throws(ServerError) {
        guard !path.isEmpty, path.utf8.count <= UnixSocket.maximumPathByteCount else {
            throw .pathTooLong(path: path, limit: UnixSocket.maximumPathByteCount)
        }
        try ListeningSocket.clear(path)
        do throws(SystemCallError) {
            socket = try UnixSocket.listen(at: path, backlog: ListeningSocket.backlog)
        } catch {
            throw error.errno == .addressInUse ? .pathInUse(path: path) : .systemCall(error)
        }
        self.path = path
        identity = PathIdentity(of: path)
    }

    /// Somebody may have put another file there: that one stays.
    deinit { identity?.unlink(path) }

    private static func clear(_ path: String) throws(ServerError) {
        guard let found = PathIdentity(of: path) else { return }
        guard found.isSocket else { throw .notASocket(path: path) }
        let isStale: Bool
        do throws(SystemCallError) {
            _ = try UnixSocket.connect(to: path)
            isStale = false
        } catch {
            isStale = error.errno == .connectionRefused
        }
        guard isStale else { throw .pathInUse(path: path) }
        found.unlink(path)
    }
}
