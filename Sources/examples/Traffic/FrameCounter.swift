import DeviceMemory
import LinuxIO
public import NicDriver

/// Receives on one queue pair and counts; of generated frames it counts what is missing and what is late.
public final class FrameCounter: TrafficWorker {
    private let queuePair: any QueuePair
    private let limit: UInt64
    /// Sleeps or spins a little when nothing came; nil looks again at once.
    private let waitMilliseconds: Int32?
    private var batch: PacketBatch
    /// The number that each flow's next frame should have. Flows beyond the limit are not followed.
    private var expected: [UInt16: UInt64] = [:]
    public private(set) var tally = TrafficTally()
    public private(set) var firstAt: UInt64 = 0
    public private(set) var lastAt: UInt64 = 0

    static let flowLimit = 4096

    public init(_ queuePair: any QueuePair, limit: UInt64, waitMilliseconds: Int32?) {
        self.queuePair = queuePair
        self.limit = limit
        self.waitMilliseconds = waitMilliseconds
        batch = queuePair.makeBatch(capacity: 64)
    }

    public var isDone: Bool { tally.frames >= limit }

    public func step() throws(PortError) -> Int {
        let count = queuePair.receive(into: &batch)
        guard count > 0 else {
            if let waitMilliseconds { try queuePair.waitForReceive(timeoutMilliseconds: waitMilliseconds) }
            return 0
        }
        lastAt = MonotonicClock.nanoseconds()
        if firstAt == 0 { firstAt = lastAt }
        while let packet = batch.removeFirst() {
            tally.frames &+= 1
            tally.bytes &+= UInt64(packet.byteCount)
            if let (flow, sequence) = TrafficFrame.parse(packet.window, byteCount: packet.byteCount) {
                follow(flow, sequence)
            } else {
                tally.foreignFrames &+= 1
            }
        }
        return count
    }

    /// A generator counts each flow from zero; one that was joined in the middle starts where it is.
    private func follow(_ flow: UInt16, _ sequence: UInt64) {
        guard let next = expected[flow] else {
            if expected.count < Self.flowLimit { expected[flow] = sequence &+ 1 }
            return
        }
        if sequence >= next {
            tally.missingFrames &+= sequence &- next
            expected[flow] = sequence &+ 1
        } else if sequence == 0 {
            // The generator was started anew.
            expected[flow] = 1
        } else {
            tally.lateFrames &+= 1
            tally.missingFrames = tally.missingFrames > 0 ? tally.missingFrames &- 1 : 0
        }
    }
}
