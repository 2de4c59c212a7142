import DeviceMemory
import LinuxIO
public import NicDriver

/// Sends frames of one or more flows from one queue pair, as fast as it takes them or at a rate.
public final class Generator: TrafficWorker {
    private let queuePair: any QueuePair
    private let frames: [TrafficFrame]
    private let limit: UInt64
    private let pace: Pace?
    private var sequences: [UInt64]
    private var batch: PacketBatch
    private var flow = 0
    public private(set) var tally = TrafficTally()
    public private(set) var firstAt: UInt64 = 0
    public private(set) var lastAt: UInt64 = 0

    static let batchSize = 32

    /// - Parameters:
    ///   - flows: numbers of the flows, at least one; no other worker sends them.
    ///   - limit: ends after so many frames.
    ///   - framesPerSecond: nil for as many as possible.
    public init(
        _ queuePair: any QueuePair, to destination: MACAddress, from source: MACAddress, flows: [UInt16], byteCount: Int, limit: UInt64,
        framesPerSecond: Double? = nil
    ) {
        precondition(!flows.isEmpty)
        self.queuePair = queuePair
        frames = flows.map { TrafficFrame(to: destination, from: source, flow: $0, byteCount: byteCount) }
        sequences = [UInt64](repeating: 0, count: flows.count)
        self.limit = limit
        pace = framesPerSecond.map(Pace.init)
        batch = queuePair.makeBatch(capacity: Self.batchSize)
    }

    public var isDone: Bool { tally.frames >= limit }

    /// Fills a batch and sends what the ring takes. Returns how many frames went.
    public func step() throws(PortError) -> Int {
        let now = MonotonicClock.nanoseconds()
        if firstAt == 0 { firstAt = now }
        let due = pace?.due(after: now &- firstAt) ?? .max
        let queued = UInt64(batch.count)
        let room = min(limit &- tally.frames, due > tally.frames ? due &- tally.frames : 0)
        if room > queued { fill(upTo: Int(min(room, UInt64(Self.batchSize)))) }
        let count = queuePair.send(&batch)
        if count > 0 {
            tally.frames &+= UInt64(count)
            tally.bytes &+= UInt64(count &* frames[0].byteCount)
            lastAt = now
        } else {
            queuePair.reclaim()
        }
        return count
    }

    private func fill(upTo count: Int) {
        while batch.count < count, batch.room > 0, var packet = queuePair.makePacket() {
            packet.byteCount = frames[flow].byteCount
            frames[flow].emit(into: packet.window, sequence: sequences[flow])
            sequences[flow] &+= 1
            flow = flow &+ 1 == frames.count ? 0 : flow &+ 1
            _ = batch.append(packet)
        }
    }
}

/// A steady rate.
struct Pace {
    let framesPerSecond: Double
    init(_ framesPerSecond: Double) { self.framesPerSecond = framesPerSecond }
    /// How many frames shall be out after so long.
    func due(after nanoseconds: UInt64) -> UInt64 { UInt64(Double(nanoseconds) * framesPerSecond / 1e9) + 1 }
}
