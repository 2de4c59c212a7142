public import NicDriver
import LinuxIO

/// What a ping-pong shall do.
public struct PingPongOptions: Sendable {
    public enum Role: String, Sendable { case both, client, server }

    public var role = Role.both
    /// Frame sizes on the wire in bytes, FCS included; those below 64 go out as 64, as on any Ethernet.
    public var sizes = [64, 256, 1024, 1518]
    /// Measured round trips of each size.
    public var count = 10_000
    /// Round trips before them, not measured.
    public var warmup = 1_000
    /// CPUs for the client's and the server's thread; with one role the first is its own. Empty: no pinning.
    public var cpus: [Int] = []
    /// Sleep until a frame arrives instead of looking all the time.
    public var wait = PortOptions.WaitMode.poll
    /// After so long without a pong its ping is lost.
    public var pingTimeoutMilliseconds: UInt64 = 1000
    /// So many losses one after the other mean that the server is gone.
    public var lossesInARow = 5
    /// What happens when a device is gone. Meanwhile the other end's pings are lost.
    public var recovery = Recovery.off
    /// How long a client looks for a server.
    public var helloTimeoutMilliseconds: UInt64 = 10_000
    /// A server without a client for so long ends.
    public var idleTimeoutMilliseconds: UInt64 = 60_000
    /// Seed of every payload; the same seed gives the same bytes.
    public var seed: UInt64 = .random(in: 0 ... .max)
    /// Bytes of frames to keep for a capture file; 0: none. Copying them perturbs the caches between two measurements.
    public var captureByteCount = 0

    public init() {}

    /// Largest frame on the wire that the 82574L takes, bytes with FCS.
    public static let maximumWireByteCount = 9018

    /// Why these options cannot work; nil if they can.
    public var problem: String? {
        if sizes.isEmpty && role != .server { return "No sizes are given. Name at least one, for example 64." }
        if let size = sizes.first(where: { $0 < 1 || $0 > Self.maximumWireByteCount }) {
            return "A frame of \(size) bytes is not possible. Sizes go from 1 to \(Self.maximumWireByteCount) bytes, FCS included."
        }
        if count < 1 { return "The count must be at least 1." }
        if warmup < 0 { return "The number of warm-up round trips cannot be negative." }
        if cpus.count > 2 { return "At most two CPUs can be named: the client's and the server's." }
        let usable = Processor.usable
        if let cpu = cpus.first(where: { !usable.contains($0) }) {
            return "CPU \(cpu) is not usable here. Usable: \(usable.map(String.init).joined(separator: ","))."
        }
        return nil
    }

    /// The largest frame of the run in a buffer, bytes without FCS, at least an ordinary Ethernet frame's.
    public var maximumFrameByteCount: Int { max(1514, (sizes.max() ?? 0) - PingPongFrame.checkSequenceByteCount) }

    /// The other end may be one that comes back.
    var tolerableLossesInARow: Int { lossesInARow + Int(clamping: recovery.milliseconds / max(1, pingTimeoutMilliseconds)) }

    /// Whether client and server have to take turns on one CPU.
    var sharesOneCore: Bool { role == .both && cpus.count == 2 ? cpus[0] == cpus[1] : Processor.usable.count < 2 }
}
