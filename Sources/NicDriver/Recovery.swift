public import LinuxIO

/// How an application goes on when the device of one of its ports is gone: for so long it may come back.
public struct Recovery: Sendable {
    /// 0: a lost device is the end, as is always one that cannot come back.
    public var milliseconds: UInt64
    /// Told when a device is lost, and when it is back.
    public var notice: @Sendable (String) -> Void

    public static let off = Recovery(milliseconds: 0) { _ in }

    /// After so long the owner's wish to end is looked at.
    private static let sliceMilliseconds: UInt64 = 1000

    public init(milliseconds: UInt64, notice: @escaping @Sendable (String) -> Void) {
        self.milliseconds = milliseconds
        self.notice = notice
    }

    /// Returns once the port goes on. Throws `error` itself if it tells of something else than a lost device. No thread may
    /// be in one of the port's queue pairs.
    public func recover(_ port: any Port, from error: PortError, stop: StopFlag) throws(PortError) {
        guard milliseconds > 0, port.canRecover, error.tellsOfLostDevice else { throw error }
        notice("\(error) Waiting for it to come back.")
        let lostAt = MonotonicClock.nanoseconds()
        let lostFrames = port.counters.framesLostInRecovery
        let deadline = Deadline(afterMilliseconds: milliseconds)
        while true {
            do throws(PortError) {
                try port.recover(timeoutMilliseconds: min(Self.sliceMilliseconds, UInt64(deadline.remainingMilliseconds)))
                break
            } catch {
                guard error.tellsOfLostDevice, !deadline.hasPassed, !stop.isRaised else { throw error }
            }
        }
        let took = (MonotonicClock.nanoseconds() &- lostAt) / 1_000_000
        let lost = port.counters.framesLostInRecovery &- lostFrames
        notice("\(port.url): the device is back after \(took) ms; \(lost) frames were in its rings.")
    }
}

extension PortError {
    /// The device or its server is gone, which may come back.
    public var tellsOfLostDevice: Bool {
        if case .device(.gone) = self { return true }
        return false
    }
}

extension PortOptions {
    /// A device that came back without a link goes on without one: its owner sees that.
    var linkMillisecondsAfterRecovery: UInt64 { min(linkTimeoutMilliseconds, 500) }
}
