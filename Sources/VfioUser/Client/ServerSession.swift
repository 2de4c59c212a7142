import DeviceAccess
import DeviceMemory
import LinuxIO

/// A connection whose server has introduced itself, and what it has said of its device so far. One that comes back makes
/// a new one.
final class ServerSession {
    let connection: ClientConnection
    let info: DeviceInfoMessage
    let dmaLimits: DMALimits
    /// What the server said it takes.
    let maximumDescriptors: Int
    let maximumTransferByteCount: Int
    /// Whether areas of regions may lie in a device of this machine.
    let acceptsHostDevices: Bool
    /// What was asked for, once each.
    var regions: [Int: KnownRegion] = [:]
    var interruptCounts: [InterruptKind: Int] = [:]

    /// Negotiates. `.gone`: the server hung up.
    init(
        _ connection: ClientConnection, acceptsHostDevices: Bool = false, limits: MessageLimits = MessageLimits()
    ) throws(DeviceError) {
        self.connection = connection
        self.acceptsHostDevices = acceptsHostDevices
        let said = try ServerSession.negotiate(connection, limits)
        maximumDescriptors = Int(clamping: min(said.maximumMessageDescriptors ?? Capabilities.defaultMessageDescriptors, 16))
        maximumTransferByteCount = Int(clamping: said.maximumTransferByteCount ?? Capabilities.defaultTransferByteCount)
        guard let window = IOVARange(first: 0, last: 1 << 48 - 1) else {
            throw .notFound(device: connection.device, reason: "no DMA window", fix: "")
        }
        dmaLimits = DMALimits(
            windows: [window], pageSizes: said.pageSizes ?? Capabilities.defaultPageSizes,
            maximumMappings: Int(clamping: said.maximumDMAMaps ?? Capabilities.defaultDMAMaps))
        info = try ServerSession.deviceInfo(connection)
    }

    /// The answer, or the server's refusal as the seam's error.
    func succeed(_ result: Result<ClientConnection.Answer, SystemCallError>) throws(DeviceError) -> ClientConnection.Answer {
        switch result {
        case .success(let answer): return answer
        case .failure(let cause):
            throw .systemCall(device: connection.device, group: nil, cause: cause, fix: "The server refused it: its log says why.")
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
        switch try connection.request(.version, proposal.emit()) {
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
