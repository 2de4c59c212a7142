import DeviceAccess
import HostBack
import LinuxIO

/// The process that quiets a relay's host functions when the relay is killed: QEMU has their files too, so that the kernel takes
/// nothing back at the relay's end. It is started before anything is opened, and ends with the relay.
public struct RelayGuardian: Sendable {
    /// A program that calls ``run(log:)``.
    public var program: String
    public var arguments: [String]
    /// Called on a thread of its own when the guardian has ended and the relay has not.
    public var lost: (@Sendable (String) -> Void)?

    public init(program: String, arguments: [String], lost: (@Sendable (String) -> Void)? = nil) {
        self.program = program
        self.arguments = arguments
        self.lost = lost
    }

    /// The relay goes on without: ending it would stall the guest for certain, and only to be safe from an accident that may never
    /// come. What a device could still do then it does to the memory of its own guest.
    static let lossText =
        "the relay's guardian has ended. The relay goes on; if it is killed now, the host's devices go on in the guest's memory until "
        + "QEMU ends. Start guest and relay anew when the guest permits it"

    func start() throws(DeviceError) -> GuardianLink {
        do throws(SystemCallError) { return try GuardianLink(program: program, arguments: arguments) } catch {
            throw .systemCall(
                device: "the relay's guardian", group: nil, cause: error,
                fix: "Free some memory, or raise the limit of processes (ulimit -u).")
        }
    }

    /// The guardian's side, in the program that was started: waits on its standard input for the relay's end, and quiets.
    /// - Parameter log: takes lines.
    /// - Returns: the exit code: 0 when all is quiet, 1 when a device or mapping could not be, 2 when the relay was not understood.
    public static func run(log: @escaping (String) -> Void) -> Int32 {
        ShutdownSignals.ignore()
        var guardian = Guardian(UnixSocket(adopting: OwnedDescriptor(adopting: 0)), log: log)
        return guardian.run().rawValue
    }
}
