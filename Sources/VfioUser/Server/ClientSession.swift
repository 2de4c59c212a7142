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
    /// Turns that have a look at the socket whether the loop wants one or not.
    var eagerLooks = 0
    /// The last command was one that its sender waits for.
    var wasAnswered = false
    /// What its memory's carrier is at; nothing else of the client's is looked at meanwhile.
    var change: PendingChange?
    /// Why the server drops this client.
    var fault: String?
    /// The last reply goes out, then the connection ends.
    var isClosing = false

    init(socket: consuming UnixSocket, limits: MessageLimits) {
        channel = ClientChannel(socket: socket, limits: limits)
    }
}
