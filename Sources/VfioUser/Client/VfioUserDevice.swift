public import DeviceAccess
import DeviceMemory
import LinuxIO

/// A device that another process serves at a socket: the seam's backend for `vfio-user:PATH`.
///
/// Each request has a deadline. A server that hangs up is noticed by the next call, which throws `.gone`, as do all later ones.
public final class VfioUserDevice: DeviceAccess {
    public let url: String
    let connection: ClientConnection
    let info: DeviceInfoMessage
    /// What the server said it takes.
    let serverDescriptors: Int
    let serverTransferByteCount: Int
    public let dmaLimits: DMALimits
    var regions: [Int: KnownRegion] = [:]
    var interruptCounts: [InterruptKind: Int] = [:]
    /// Send BAR writes without waiting for an answer. A refused write is never known then, so it is off by default.
    public var postsWrites = false
    /// Keep the CPU busy for at most so long while the server has not answered, then sleep: less latency where the server
    /// polls on a CPU of its own. At most the server's time-out; 0 always sleeps.
    public var spinMicroseconds: UInt64 {
        get { connection.spinMicroseconds }
        set { connection.spinMicroseconds = min(newValue, connection.timeoutMilliseconds &* 1000) }
    }

    /// Connects and negotiates.
    /// - Parameters:
    ///   - socketPath: at most 107 bytes.
    ///   - timeoutMilliseconds: for each request; QEMU gives a server 5000 ms too.
    public init(url: String, socketPath: String, timeoutMilliseconds: UInt64 = 5000) throws(DeviceError) {
        self.url = url
        let socket = try ClientConnection.connect(device: url, path: socketPath, timeoutMilliseconds: timeoutMilliseconds)
        let limits = MessageLimits()
        connection = ClientConnection(device: url, socket: socket, limits: limits, timeoutMilliseconds: timeoutMilliseconds)
        let said = try VfioUserDevice.negotiate(connection, limits)
        serverDescriptors = Int(clamping: min(said.maximumMessageDescriptors ?? Capabilities.defaultMessageDescriptors, 16))
        serverTransferByteCount = Int(clamping: said.maximumTransferByteCount ?? Capabilities.defaultTransferByteCount)
        guard let window = IOVARange(first: 0, last: 1 << 48 - 1) else { throw .notFound(device: url, reason: "no DMA window", fix: "") }
        dmaLimits = DMALimits(
            windows: [window], pageSizes: said.pageSizes ?? Capabilities.defaultPageSizes,
            maximumMappings: Int(clamping: said.maximumDMAMaps ?? Capabilities.defaultDMAMaps))
        info = try VfioUserDevice.deviceInfo(connection)
    }

    public var progress: (any DeviceProgress)? { nil }

    public func checkPresence() throws(DeviceError) { try connection.checkPresence() }

    public func reset() throws(DeviceError) {
        guard info.supportsReset else {
            throw .notUsable(device: url, group: nil, reason: "the server's device cannot be reset", fix: "Restart the server.")
        }
        let answer = try succeed(connection.request(.deviceReset, []))
        guard answer.payload.isEmpty else { throw connection.violation("its reply to a reset has a payload") }
    }

    /// The answer, or the server's refusal as the seam's error.
    func succeed(_ result: Result<ClientConnection.Answer, SystemCallError>) throws(DeviceError) -> ClientConnection.Answer {
        switch result {
        case .success(let answer): return answer
        case .failure(let cause):
            throw .systemCall(device: url, group: nil, cause: cause, fix: "The server refused it: its log says why.")
        }
    }

    /// "VFIO_USER_VERSION": we propose, the server answers with the same major and a minor no higher.
    private static func negotiate(_ connection: ClientConnection, _ limits: MessageLimits) throws(DeviceError) -> Capabilities {
        let proposal = VersionMessage(
            major: ProtocolVersion.major, minor: ProtocolVersion.maximumMinor,
            capabilities: Capabilities(
                maximumMessageDescriptors: UInt64(limits.maximumDescriptors),
                maximumTransferByteCount: UInt64(limits.maximumTransferByteCount),
                maximumDMAMaps: Capabilities.defaultDMAMaps, pageSizes: Capabilities.defaultPageSizes))
        let result: Result<ClientConnection.Answer, SystemCallError>
        do throws(DeviceError) {
            result = try connection.request(.version, proposal.emit())
        } catch {
            guard case .gone = error else { throw error }
            throw .notUsable(
                device: connection.device, group: nil, reason: "the server hung up before it answered \(Command.version.name)",
                fix: "It may serve another client, which has to go first, or speak another protocol.")
        }
        switch result {
        case .failure(let cause):
            throw .notUsable(
                device: connection.device, group: nil,
                reason: "the server refused version 0.\(ProtocolVersion.maximumMinor): \(cause.errno)",
                fix: "Use a server that speaks vfio-user version 0.")
        case .success(let answer):
            let reply: VersionMessage
            do throws(MessageError) {
                reply = try VersionMessage.parse(answer.payload, descriptorCount: answer.descriptors.count)
            } catch {
                throw connection.violation(error.description)
            }
            guard reply.major == ProtocolVersion.major, reply.minor <= ProtocolVersion.maximumMinor else {
                throw connection.violation("it answered version 0.\(ProtocolVersion.maximumMinor) with \(reply.major).\(reply.minor)")
            }
            return reply.capabilities
        }
    }

    private static func deviceInfo(_ connection: ClientConnection) throws(DeviceError) -> DeviceInfoMessage {
        let answer: ClientConnection.Answer
        switch try connection.request(.deviceGetInfo, DeviceInfoMessage().emit()) {
        case .success(let found): answer = found
        case .failure(let cause):
            throw .systemCall(
                device: connection.device, group: nil, cause: cause, fix: "The server refused to describe its device: its log says why.")
        }
        do throws(MessageError) {
            let info = try DeviceInfoMessage.parse(answer.payload, descriptorCount: answer.descriptors.count)
            guard info.isPCI else {
                throw MessageError.field(message: Command.deviceGetInfo.name, name: "flags without PCI", value: 0)
            }
            return info
        } catch {
            throw connection.violation(error.description)
        }
    }
}
