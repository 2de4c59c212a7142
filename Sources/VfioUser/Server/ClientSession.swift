import LinuxIO

/// A connected client as the server's loop sees it.
struct ClientSession: ~Copyable {
    let channel: ClientChannel
    var stalledSince: Deadline?
    var isNegotiated = false
    var messages: UInt64 = 0
    /// What the client takes in one reply.
    var maximumReplyData = Int(Capabilities.defaultTransferByteCount)
    var lastWork = MonotonicClock.nanoseconds()
    /// When a busy server last looked at everything but the client's socket.
    var lastLook: UInt64 = 0
    /// Where other clients knock, or none.
    var listenerNumber: Int32?
    var sawNewcomer = false
    /// Why the server drops this client.
    var fault: String?
    /// The last reply goes out, then the connection ends.
    var isClosing = false

    init(socket: consuming UnixSocket, limits: MessageLimits) {
        channel = ClientChannel(socket: socket, limits: limits)
    }
}
