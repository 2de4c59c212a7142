import LinuxIO

@testable import VfioUser

/// A peer that sends whatever bytes it is told to.
final class RawPeer {
    private let socket: UnixSocket
    private var reader = MessageReader(limits: MessageLimits())

    init(_ socket: consuming UnixSocket) { self.socket = socket }

    convenience init(connectingTo path: String, negotiate: Bool = true) throws {
        self.init(try UnixSocket.connect(to: path))
        if negotiate { _ = try exchange(.version, VersionMessage(major: 0, minor: 0, capabilities: Capabilities()).emit()) }
    }

    struct Failed: Error { let reason: String }

    func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws {
        var start = 0
        let deadline = Deadline(afterMilliseconds: 5000)
        while start < bytes.count {
            guard !deadline.hasPassed else { throw Failed(reason: "cannot send") }
            if let count = try socket.send(bytes, from: start, descriptors: start == 0 ? descriptors : []) {
                start += count
            } else {
                _ = waitForEvents([PollRequest(socket.number, .writable)], timeoutMilliseconds: 100)
            }
        }
    }

    /// The next message; nil when the other side hung up.
    func receive() throws -> IncomingMessage? {
        let deadline = Deadline(afterMilliseconds: 5000)
        while true {
            switch reader.step(socket) {
            case .message(let message): return message
            case .closed: return nil
            case .broken(let reason, _): throw Failed(reason: reason)
            case .wouldBlock:
                guard !deadline.hasPassed else { throw Failed(reason: "no message within 5 s") }
                _ = waitForEvents([PollRequest(socket.number, .readable)], timeoutMilliseconds: 100)
            }
        }
    }

    static func command(_ command: UInt16, _ payload: [UInt8], id: UInt16 = 7, noReply: Bool = false) -> [UInt8] {
        MessageHeader(id: id, command: command, payloadByteCount: payload.count, noReply: noReply).emit() + payload
    }

    func exchange(_ command: Command, _ payload: [UInt8], id: UInt16 = 7, descriptors: [Int32] = []) throws -> IncomingMessage {
        try send(RawPeer.command(command.rawValue, payload, id: id), descriptors: descriptors)
        guard let reply = try receive() else { throw Failed(reason: "hung up") }
        return reply
    }
}

/// Bytes of 32-bit words, little-endian.
func words(_ values: UInt32...) -> [UInt8] { values.flatMap { [UInt8](littleEndian: UInt64($0), byteCount: 4) } }
func longs(_ values: UInt64...) -> [UInt8] { values.flatMap { [UInt8](littleEndian: $0, byteCount: 8) } }
