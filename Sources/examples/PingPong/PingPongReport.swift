import DeviceMemory
public import Histogram
import LinuxIO
public import NicDriver

/// What came out of a run, whole or partial.
public struct PingPongReport: Sendable {
    public internal(set) var results: [SizeResult] = []
    public internal(set) var ports: [PortSummary] = []
    /// What a server in this process did.
    public internal(set) var served: ServedCounters?
    /// Why it ended early; nil if it did not, or if somebody asked for it.
    public internal(set) var failure: PingPongError?
    public internal(set) var wasInterrupted = false
    public internal(set) var capture: FrameCapture?
    /// From the start of the run until the first frame was handed to a NIC.
    public internal(set) var nanosecondsToFirstFrame: UInt64?

    /// Frames whose payload was not the one that was sent, on either side.
    public var corruptFrames: Int { results.reduce(0) { $0 + $1.corrupt } + (served?.corrupt ?? 0) }
    public var lostFrames: Int { results.reduce(0) { $0 + $1.lost } }
}

/// The round trips of one frame size.
public struct SizeResult: Sendable {
    /// As it was asked for, bytes on the wire.
    public let size: Int
    /// Pings sent, warm-up not counted.
    public internal(set) var count = 0
    /// Pings that no pong answered in time.
    public internal(set) var lost = 0
    /// Pongs whose payload differed.
    public internal(set) var corrupt = 0
    /// Full round trips in nanoseconds; half of it is what the tables show.
    public internal(set) var roundTrips: Histogram<UInt64>

    /// Longest round trip that is told apart, nanoseconds.
    static let longestRoundTrip: UInt64 = 100_000_000_000

    init(size: Int) {
        self.size = size
        roundTrips = Histogram<UInt64>(highestTrackableValue: Self.longestRoundTrip, numberOfSignificantValueDigits: .three)
    }

    /// Half round trips in microseconds; nil when no pong came.
    public var halfRoundTrip: HalfRoundTrip? { HalfRoundTrip(roundTrips) }
}

/// Half round trips in microseconds.
public struct HalfRoundTrip: Sendable {
    public let min, median, mean, p99, p999, max: Double

    init?(_ histogram: Histogram<UInt64>) {
        guard histogram.totalCount > 0 else { return nil }
        func half(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 2000 }
        min = half(histogram.min)
        median = half(histogram.median)
        mean = histogram.mean / 2000
        p99 = half(histogram.valueAtPercentile(99))
        p999 = half(histogram.valueAtPercentile(99.9))
        max = half(histogram.max)
    }
}

/// What a server did.
public struct ServedCounters: Sendable {
    public internal(set) var pings = 0
    public internal(set) var corrupt = 0
    public internal(set) var sessions = 0
}

/// A port of the run, and what it counted.
public struct PortSummary: Sendable {
    public let url: String
    public let role: PingPongOptions.Role
    public let family: String
    public let macAddress: MACAddress
    public internal(set) var counters = QueueCounters()
    /// What the device itself counted; nil if it could not be asked any more.
    public internal(set) var deviceCounters: DeviceCounters?
}

/// Why a run ended early.
public enum PingPongError: Error, CustomStringConvertible {
    case badOptions(String)
    case port(PortError)
    /// Nobody answered the hellos.
    case noServer(milliseconds: UInt64)
    /// The server answered first, and then no more.
    case serverSilent(lossesInARow: Int)
    /// No client came to this server.
    case noClient(milliseconds: UInt64)
    /// The port's ring or pool stayed full.
    case cannotSend(url: String, milliseconds: UInt64)
    /// The thread of the other role has failed.
    case system(String)

    public var description: String {
        switch self {
        case .badOptions(let text), .system(let text): text
        case .port(let error): error.description
        case .noServer(let milliseconds):
            "No server answered within \(milliseconds) ms. Start `unic pingpong --server` on the same wire first, with a device of its own."
        case .serverSilent(let losses):
            "The server stopped answering: \(losses) pings in a row were lost. See whether its process still runs."
        case .noClient(let milliseconds): "No client was heard for \(milliseconds) ms. Start `unic pingpong --client` on the same wire."
        case .cannotSend(let url, let milliseconds):
            "\(url): no frame could be sent for \(milliseconds) ms: the device does not take descriptors."
        }
    }
}

extension PortSummary {
    /// At the end of a role. Frames that are still under way get 50 ms, so that device and driver can have counted the same.
    init(of port: any Port, role: PingPongOptions.Role) {
        url = port.url
        self.role = role
        family = port.family
        macAddress = port.macAddress
        var late = port.makeBatch(capacity: 32)
        let deadline = Deadline(afterMilliseconds: 50)
        repeat {
            while port.receive(into: &late) > 0 { late.removeAll() }
            port.reclaim()
            deviceCounters = try? port.readDeviceCounters()
            counters = port.counters
        } while !agree && !deadline.hasPassed
    }

    /// True too when the device cannot be asked.
    private var agree: Bool {
        guard let device = deviceCounters else { return true }
        return device.sentFrames == counters.sentFrames && device.receivedFrames == counters.receivedFrames
    }
}

extension PingPongReport {
    /// Adds what the other role of the same run says.
    mutating func merge(_ other: PingPongReport) {
        ports += other.ports
        served = served ?? other.served
        failure = failure ?? other.failure
    }
}
