public import LinuxIO

/// What a guardian holds of its relay, and how it quiets it.
///
/// The order: bus mastering off, of all functions; then everything unmapped; then the resets. The first two take microseconds and
/// end the DMA, whichever of them the hardware heeds; a function-level reset takes 100 ms (``OpenedDevice/reset()``), so that one
/// in front of the unmaps would keep memory within reach.
public struct GuardedThings {
    /// A relay's functions have places on one bus of the guest; its address spaces are one a domain, which a function is in.
    public static let limit = 1024

    private let host: any GuardedHost
    private var devices: [any QuietableDevice] = []
    private var containers: [any QuietableContainer] = []
    private var context: (any QuietableContext)?
    private var spaces: Set<UInt32> = []

    public init(_ host: any GuardedHost) { self.host = host }

    /// - Parameter descriptor: what came with the message.
    public mutating func take(_ message: GuardianMessage, _ descriptor: ReceivedDescriptor?) throws(GuardianError) {
        guard message.carriesDescriptor else {
            guard descriptor == nil else { throw .strayDescriptor }
            return try take(space: message)
        }
        guard let file = descriptor?.take() else { throw .noDescriptor }
        switch message {
        case .device(let configOffset, let name):
            try Self.expectRoom(devices.count)
            devices.append(host.device(file, configOffset: configOffset, name: name))
        case .container(let name):
            try Self.expectRoom(containers.count)
            containers.append(host.container(file, name: name))
        case .deathNotice: throw .strayDescriptor
        default:
            guard context == nil else { throw .secondContext }
            context = host.context(file)
        }
    }

    private mutating func take(space message: GuardianMessage) throws(GuardianError) {
        switch message {
        case .spaceMade(let id):
            guard context != nil else { throw .noContext }
            try Self.expectRoom(spaces.count)
            spaces.insert(id)
        case .spaceGone(let id): spaces.remove(id)
        default: break
        }
    }

    private static func expectRoom(_ count: Int) throws(GuardianError) { if count >= limit { throw .tooMany } }

    /// Ends all DMA. Each step is tried, whatever became of those before.
    /// - Parameters:
    ///   - resets: not after a relay that has done so itself.
    ///   - clock: nanoseconds since the relay's end.
    public func quiet(resets: Bool, clock: () -> UInt64) -> [QuietStep] {
        var steps: [QuietStep] = []
        func note(_ subject: String, _ action: () throws(SystemCallError) -> QuietStep.Action) {
            var step = QuietStep(subject: subject, action: nil, failure: nil, nanoseconds: 0)
            do throws(SystemCallError) { step.action = try action() } catch { step.failure = error }
            step.nanoseconds = clock()
            steps.append(step)
        }
        for device in devices {
            note(device.name) { () throws(SystemCallError) in
                try device.endBusMastering()
                return .busMasterOff
            }
        }
        for container in containers { note(container.name) { () throws(SystemCallError) in .unmapped(try container.unmapAll()) } }
        if let context {
            for id in spaces.sorted() { note("IOAS \(id)") { () throws(SystemCallError) in try Self.unmapAll(id, in: context) } }
        }
        guard resets else { return steps }
        for device in devices {
            note(device.name) { () throws(SystemCallError) in
                do throws(SystemCallError) { try device.reset() } catch {
                    guard error.errno == .invalidArgument else { throw error }
                    return .hasNoReset
                }
                return .reset
            }
        }
        return steps
    }

    private static func unmapAll(_ id: UInt32, in context: any QuietableContext) throws(SystemCallError) -> QuietStep.Action {
        do throws(SystemCallError) { return .unmapped(try context.unmapAll(space: id)) } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return .unmapped(0)
        }
    }
}

/// A step of quieting, and when it was done.
public struct QuietStep: Equatable, Sendable, CustomStringConvertible {
    public enum Action: Equatable, Sendable {
        case busMasterOff
        /// So many bytes were mapped.
        case unmapped(UInt64)
        case reset
        /// It is quiet all the same: it masters no bus, and nothing is mapped.
        case hasNoReset
    }

    public var subject: String
    /// nil: it failed.
    public var action: Action?
    public var failure: SystemCallError?
    /// Since the relay's end was seen.
    public var nanoseconds: UInt64

    public var description: String {
        let what =
            switch action {
            case .busMasterOff: "bus master off"
            case .unmapped(let byteCount): "unmapped \(byteCount) bytes"
            case .reset: "reset"
            case .hasNoReset: "has no reset of its own"
            case nil: "FAILED, \(failure.map { "\($0)" } ?? "")"
            }
        return "\(subject): \(what), \(nanoseconds / 1000) us after the relay's end was seen"
    }
}
