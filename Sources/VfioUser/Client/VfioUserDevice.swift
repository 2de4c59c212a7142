public import DeviceAccess
import LinuxIO

/// A device that another process serves at a socket: the seam's backend for `vfio-user:PATH`.
///
/// Each request has a deadline. A server that hangs up is noticed by the next call, which throws `.gone`, as do all later ones
/// until the device is reconnected.
public final class VfioUserDevice: DeviceAccess {
    public let url: String
    let socketPath: String
    let timeoutMilliseconds: UInt64
    let acceptsHostDevices: Bool
    var session: ServerSession
    // What outlives a server.
    let memory = ClientMemory()
    var mappedRegions: [Int: MappedRegion] = [:]
    var connectedEvents: [InterruptKind: ConnectedEvents] = [:]
    /// Send BAR writes without waiting for an answer. A refused write is never known then, so it is off by default.
    public var postsWrites = false
    /// Keep the CPU busy for at most so long while the server has not answered, then sleep: less latency where the server
    /// polls on a CPU of its own. At most the server's time-out; 0 always sleeps.
    public var spinMicroseconds: UInt64 {
        get { session.connection.spinMicroseconds }
        set { session.connection.spinMicroseconds = min(newValue, timeoutMilliseconds &* 1000) }
    }

    /// Connects and negotiates.
    /// - Parameters:
    ///   - socketPath: at most 107 bytes.
    ///   - timeoutMilliseconds: for each request; QEMU gives a server 5000 ms too.
    ///   - acceptsHostDevices: registers may be those of a device of this machine that the server gives on: a relay. An access
    ///     while their memory bit is 0 in the command register ends this process (SIGBUS), so that the server has to be trusted.
    public init(
        url: String, socketPath: String, timeoutMilliseconds: UInt64 = 5000, acceptsHostDevices: Bool = false
    ) throws(DeviceError) {
        self.acceptsHostDevices = acceptsHostDevices
        self.url = url
        self.socketPath = socketPath
        self.timeoutMilliseconds = timeoutMilliseconds
        let socket = try ClientConnection.connect(device: url, path: socketPath, timeoutMilliseconds: timeoutMilliseconds)
        let connection = ClientConnection(device: url, socket: socket, memory: memory, timeoutMilliseconds: timeoutMilliseconds)
        do throws(DeviceError) { session = try ServerSession(connection, acceptsHostDevices: acceptsHostDevices) } catch {
            guard case .gone = error else { throw error }
            throw .notUsable(
                device: url, group: nil, reason: "the server hung up before it had introduced itself",
                fix: "It may serve another client, which has to go first, or speak another protocol.")
        }
    }

    public var dmaLimits: DMALimits { session.dmaLimits }
    public var progress: DeviceProgress? { nil }

    public func checkPresence() throws(DeviceError) { try session.connection.checkPresence() }

    public func reset() throws(DeviceError) {
        guard session.info.supportsReset else {
            throw .notUsable(device: url, group: nil, reason: "the server's device cannot be reset", fix: "Restart the server.")
        }
        let answer = try session.succeed(session.connection.request(.deviceReset, []))
        guard answer.payload.isEmpty else { throw session.connection.violation("its reply to a reset has a payload") }
    }
}
