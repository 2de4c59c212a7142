import LinuxIO

/// A connected client as the server's loop sees it.
final class ClientSession {
    let channel: ClientChannel
    var stalledSince: Deadline?
    var isNegotiated = false
    var messages: UInt64 = 0
    /// What the client takes in one reply.
    var maximumReplyData = Int(Capabilities.defaultTransferByteCount)
    var lastWork = MonotonicClock.nanoseconds()
    /// Steps of the model since the last look at the socket, and looks that follow one step each.
    var steps = 0
    var eagerLooks = 0
    /// Why the server drops this client.
    var fault: String?
    /// The last reply goes out, then the connection ends.
    var isClosing = false

    init(socket: consuming UnixSocket, limits: MessageLimits) {
        channel = ClientChannel(socket: socket, limits: limits)
    }
}
