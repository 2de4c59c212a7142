import Glibc
import LinuxIO
import Synchronization

@testable import VfioUser

/// A server that answers as a test tells it to.
final class ScriptedServer: Sendable {
    struct Response {
        var bytes: [UInt8] = []
        var descriptors: [Int32] = []
        var hangsUp = false
    }

    let path: String
    private let thread: TestThread
    private let listening = Atomic<Bool>(false)

    /// - Parameter respond: nil gives the answer that a good server of one 16 KiB BAR gives.
    init(path: String = RunningServer.freshPath(), _ respond: @escaping @Sendable (IncomingMessage) -> Response?) throws {
        self.path = path
        let ready = Ready()
        thread = TestThread {
            guard let listener = try? UnixSocket.listen(at: path, backlog: 1) else { return }
            ready.flag.store(true, ordering: .releasing)
            guard !waitForEvents([PollRequest(listener.number, .readable)], timeoutMilliseconds: 5000)[0].isEmpty,
                let socket = try? listener.accept()
            else { return }
            let peer = RawPeer(socket)
            while let message = try? peer.receive() {
                let response = respond(message) ?? ScriptedServer.good(message)
                if !response.bytes.isEmpty { try? peer.send(response.bytes, descriptors: response.descriptors) }
                for number in response.descriptors { _ = close(number) }
                if response.hangsUp { return }
            }
        }
        _ = eventually { ready.flag.load(ordering: .acquiring) }
    }

    private final class Ready: Sendable { let flag = Atomic<Bool>(false) }

    deinit {
        thread.join()
        PathIdentity(of: path)?.unlink(path)
    }

    static func reply(_ message: IncomingMessage, _ payload: [UInt8], id: UInt16? = nil, command: UInt16? = nil) -> [UInt8] {
        MessageHeader(
            id: id ?? message.header.id, command: command ?? message.header.command, payloadByteCount: payload.count, isReply: true
        ).emit()
            + payload
    }

    static func good(_ message: IncomingMessage) -> Response {
        switch Command(rawValue: message.header.command) {
        case .version: Response(bytes: reply(message, [0, 0, 0, 0]))
        case .deviceGetInfo: Response(bytes: reply(message, words(16, 3, 9, 5)))
        case .deviceGetRegionInfo: Response(bytes: reply(message, words(32, 3, message.payload.field32(at: 8), 0) + longs(0x4000, 0)))
        case .deviceGetIRQInfo: Response(bytes: reply(message, words(16, 1, message.payload.field32(at: 8), 4)))
        case .regionRead:
            Response(bytes: reply(message, message.payload + [UInt8](repeating: 0x5a, count: Int(message.payload.field32(at: 12)))))
        case .regionWrite: Response(bytes: reply(message, Array(message.payload.prefix(16))))
        default: Response(bytes: reply(message, []))
        }
    }
}
