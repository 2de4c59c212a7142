/// What one worker has moved.
public struct TrafficTally: Equatable, Sendable {
    public var frames: UInt64 = 0
    /// Without FCS.
    public var bytes: UInt64 = 0
    /// Frames of no generator, which are counted and not looked at.
    public var foreignFrames: UInt64 = 0
    /// Numbers that a flow left out: lost, or still to come when ``lateFrames`` has them.
    public var missingFrames: UInt64 = 0
    /// Frames whose number was passed already: repeated or out of order.
    public var lateFrames: UInt64 = 0
    /// Frames that the outgoing ring had no room for, or that were too long for the other port.
    public var droppedFrames: UInt64 = 0
    public init() {}

    public static func + (a: TrafficTally, b: TrafficTally) -> TrafficTally {
        var sum = a
        sum.frames &+= b.frames
        sum.bytes &+= b.bytes
        sum.foreignFrames &+= b.foreignFrames
        sum.missingFrames &+= b.missingFrames
        sum.lateFrames &+= b.lateFrames
        sum.droppedFrames &+= b.droppedFrames
        return sum
    }
}

/// What a run of one or more workers came to.
public struct TrafficReport: Sendable {
    /// One a queue pair, in their order; of a forwarder both ways together.
    public var workers: [TrafficTally] = []
    /// From the first frame to the end of the last batch.
    public var nanoseconds: UInt64 = 0
    /// Times that the link was found down.
    public var linkDownCount = 0
    /// Times that a device was lost and came back.
    public var recoveryCount = 0
    /// Why it ended before its time.
    public var failure: String?

    public var total: TrafficTally { workers.reduce(TrafficTally()) { $0 + $1 } }
    public var framesPerSecond: Double { nanoseconds == 0 ? 0 : Double(total.frames) * 1e9 / Double(nanoseconds) }
    /// Of the frames' bytes without FCS, preamble and gap.
    public var bitsPerSecond: Double { nanoseconds == 0 ? 0 : Double(total.bytes) * 8e9 / Double(nanoseconds) }
}
