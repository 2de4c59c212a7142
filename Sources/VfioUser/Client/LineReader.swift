import LinuxIO
import SystemPackage

/// Listens to a ``LineSocket``. What the lines say is not judged here.
public final class LineReader {
    /// A longer line is none of ours.
    private static let maximumByteCount = 65536

    private let socket: UnixSocket
    private let path: String
    private var bytes: [UInt8] = []

    public init(beside socketPath: String) throws(StatusError) {
        path = LineSocket.path(beside: socketPath)
        do throws(SystemCallError) { socket = try UnixSocket.connect(to: path) } catch { throw .unreachable(path: path, cause: error) }
    }

    /// The next one without its end; nil: none came in time.
    public func next(timeoutMilliseconds: Int32) throws(StatusError) -> String? {
        var hasWaited = false
        while true {
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                defer { bytes.removeFirst(end + 1) }
                return String(decoding: bytes[..<end], as: UTF8.self)
            }
            guard bytes.count <= Self.maximumByteCount else { throw .tooLong(path: path, limit: Self.maximumByteCount) }
            switch try receive() {
            case .bytes: continue
            case .closed: throw .ended(path: path)
            case .wouldBlock:
                guard !hasWaited else { return nil }
                hasWaited = true
                _ = waitForEvents([PollRequest(socket.number, .readable)], timeoutMilliseconds: timeoutMilliseconds)
            }
        }
    }

    private func receive() throws(StatusError) -> ReceiveOutcome {
        var buffer = [UInt8](repeating: 0, count: 16384)
        // Descriptors that come along are closed at once.
        var descriptors: [ReceivedDescriptor] = []
        do throws(SystemCallError) {
            let outcome = try socket.receive(into: &buffer, from: 0, byteCount: buffer.count, descriptors: &descriptors)
            if case .bytes(let count, _) = outcome { bytes += buffer[..<count] }
            return outcome
        } catch { throw .unreachable(path: path, cause: error) }
    }
}
