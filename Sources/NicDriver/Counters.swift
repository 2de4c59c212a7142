/// What a queue pair counts itself. Single writer, the queue pair's thread.
public struct QueueCounters: Equatable, Sendable {
    public var receivedFrames: UInt64 = 0
    public var receivedBytes: UInt64 = 0
    public var sentFrames: UInt64 = 0
    public var sentBytes: UInt64 = 0
    /// Frames dropped because the device said more bytes than the buffer holds, or spread one over several buffers.
    public var receiveLengthErrors: UInt64 = 0
    /// Frames that the device marked as damaged.
    public var receiveErrors: UInt64 = 0
    /// Times that a receive descriptor could not be refilled because the pool was empty.
    public var refillStarved: UInt64 = 0
    /// Frames refused because they were empty or longer than the port's maximum.
    public var sendLengthErrors: UInt64 = 0
    /// Rings whose rules the device has broken: the queue pair does not touch them any more.
    public var ringViolations: UInt64 = 0
    /// Calls of `receive` that found frames, and that found none.
    public var pollHits: UInt64 = 0
    public var pollMisses: UInt64 = 0
    /// Times that the thread slept and an interrupt ended it.
    public var interrupts: UInt64 = 0
    /// Times that the device was lost and came back (``Port/recover(timeoutMilliseconds:)``).
    public var recoveries: UInt64 = 0
    /// Frames that were in the rings then: handed over and not reported as sent, or received and not yet taken. What the
    /// device or the wire had besides nobody knows here.
    public var framesLostInRecovery: UInt64 = 0
    public init() {}
}

extension QueueCounters {
    /// The sum of what several queue pairs counted.
    public static func + (a: QueueCounters, b: QueueCounters) -> QueueCounters {
        var sum = a
        for field in fields { sum[keyPath: field] &+= b[keyPath: field] }
        return sum
    }

    private static var fields: [WritableKeyPath<QueueCounters, UInt64>] {
        [
            \.receivedFrames, \.receivedBytes, \.sentFrames, \.sentBytes, \.receiveLengthErrors, \.receiveErrors, \.refillStarved,
            \.sendLengthErrors, \.ringViolations, \.pollHits, \.pollMisses, \.interrupts, \.recoveries, \.framesLostInRecovery,
        ]
    }
}

extension QueueCounters {
    init(
        receive: ReceiveCounters, transmit: TransmitCounters, statistics: QueueStatistics, interrupts: UInt64, recovery: RecoveryCounters
    ) {
        receivedFrames = receive.frames
        receivedBytes = receive.bytes
        receiveLengthErrors = receive.lengthErrors
        receiveErrors = receive.frameErrors
        refillStarved = receive.refillStarved
        sentFrames = transmit.frames
        sentBytes = transmit.bytes
        sendLengthErrors = transmit.lengthErrors
        pollHits = statistics.pollHits
        pollMisses = statistics.pollMisses
        self.interrupts = interrupts
        recoveries = recovery.count
        framesLostInRecovery = recovery.lostFrames
    }
}

/// What a receive queue counts.
struct ReceiveCounters {
    var frames: UInt64 = 0
    var bytes: UInt64 = 0
    var lengthErrors: UInt64 = 0
    var frameErrors: UInt64 = 0
    var refillStarved: UInt64 = 0
}

/// What a transmit queue counts.
struct TransmitCounters {
    var frames: UInt64 = 0
    var bytes: UInt64 = 0
    var lengthErrors: UInt64 = 0
}

/// What a queue pair counts of the times that its device came back.
struct RecoveryCounters {
    var count: UInt64 = 0
    var lostFrames: UInt64 = 0
}

/// What the device counted, from its statistics registers.
public struct DeviceCounters: Equatable, Sendable {
    public var receivedFrames: UInt64 = 0
    public var receivedBytes: UInt64 = 0
    public var sentFrames: UInt64 = 0
    public var sentBytes: UInt64 = 0
    /// Frames that found no descriptor or no buffer space.
    public var missedFrames: UInt64 = 0
    public var receiveErrors: UInt64 = 0
    public init() {}
}
