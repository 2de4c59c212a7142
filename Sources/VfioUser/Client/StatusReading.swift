public import LinuxIO
import SystemPackage

/// Why a server's status could not be read. Each message says what to do next.
public enum StatusError: Error, CustomStringConvertible {
    /// Nobody is at the socket, or nobody may speak to it.
    case unreachable(path: String, cause: SystemCallError)
    case tooSlow(path: String, milliseconds: UInt64)
    case tooLong(path: String, limit: Int)
    case ended(path: String)

    public var description: String {
        switch self {
        case .unreachable(let path, let cause):
            switch cause.errno {
            case .noSuchFileOrDirectory: "\(path): nobody serves there. Give the socket of a running `unic serve`."
            case .connectionRefused: "\(path): whoever served there has died. Start `unic serve` again."
            case .permissionDenied: "\(path): this user may not connect. Ask as the user who started `unic serve`, or as root."
            default: "\(cause) Is this the socket of a running `unic serve`?"
            }
        case .tooSlow(let path, let milliseconds): "\(path): no whole answer came within \(milliseconds) ms. Is the server stopped?"
        case .tooLong(let path, let limit): "\(path): the answer is longer than \(limit) bytes. Is it a server of unic?"
        case .ended(let path): "\(path): the server has ended, or eight others listen already."
        }
    }
}

/// Reads what ``StatusSocket`` tells.
public enum StatusReading {
    /// Some 2 KiB are usual.
    public static let maximumByteCount = 65536

    /// Everything that comes until the end. What it says is not judged here.
    public static func read(beside socketPath: String, timeoutMilliseconds: UInt64 = 5000) throws(StatusError) -> [UInt8] {
        let path = StatusSocket.path(beside: socketPath)
        let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
        let slow = StatusError.tooSlow(path: path, milliseconds: timeoutMilliseconds)
        let socket: UnixSocket
        do throws(SystemCallError) { socket = try connect(to: path, deadline) } catch {
            throw error.errno == .wouldBlock ? slow : .unreachable(path: path, cause: error)
        }
        var bytes = [UInt8](repeating: 0, count: maximumByteCount + 1)
        var count = 0
        while count <= maximumByteCount {
            // Descriptors that come along are closed at once.
            var descriptors: [ReceivedDescriptor] = []
            let outcome: ReceiveOutcome
            do throws(SystemCallError) {
                outcome = try socket.receive(into: &bytes, from: count, byteCount: bytes.count - count, descriptors: &descriptors)
            } catch { throw .unreachable(path: path, cause: error) }
            switch outcome {
            case .bytes(let more, _): count += more
            case .closed: return Array(bytes[..<count])
            case .wouldBlock:
                guard !deadline.hasPassed else { throw slow }
                _ = waitForEvents([PollRequest(socket.number, .readable)], timeoutMilliseconds: deadline.remainingMilliseconds)
            }
            if deadline.hasPassed { throw slow }
        }
        throw .tooLong(path: path, limit: maximumByteCount)
    }

    /// A listener's queue may be full for a moment: others ask, too.
    private static func connect(to path: String, _ deadline: Deadline) throws(SystemCallError) -> UnixSocket {
        while true {
            do throws(SystemCallError) { return try UnixSocket.connect(to: path) } catch {
                guard error.errno == .wouldBlock, !deadline.hasPassed else { throw error }
                sleep(milliseconds: 5)
            }
        }
    }
}
