import DeviceMemory
public import LinuxIO

/// Copies of frames in memory that was set aside before. When it is full the rest is counted, not kept. One thread uses it.
public final class FrameCapture: @unchecked Sendable {
    public struct Frame: Sendable {
        /// Nanoseconds since 1970, UTC.
        public let nanoseconds: UInt64
        fileprivate let offset: Int
        /// Bytes without FCS.
        public let byteCount: Int
    }

    private let memory: DMAMemory
    private var used = 0
    private let clockOffset: UInt64
    public private(set) var frames: [Frame] = []
    /// Frames that did not fit.
    public private(set) var omittedFrames = 0

    /// - Parameter byteCount: of all frames together.
    public init(byteCount: Int) throws(SystemCallError) {
        memory = try DMAMemory.ordinary(byteCount: byteCount, name: "unic-capture")
        clockOffset = RealtimeClock.nanoseconds() &- MonotonicClock.nanoseconds()
        frames.reserveCapacity(byteCount / 60)
    }

    /// Keeps a copy of a frame that was seen at `nanoseconds` of the monotonic clock.
    func keep(_ window: MemoryWindow, byteCount: Int, at nanoseconds: UInt64) {
        guard byteCount <= memory.byteCount - used, frames.count < frames.capacity else {
            omittedFrames += 1
            return
        }
        window.copy(at: 0, byteCount: byteCount, to: memory.window, at: used)
        frames.append(Frame(nanoseconds: nanoseconds &+ clockOffset, offset: used, byteCount: byteCount))
        used += byteCount
    }

    public func bytes(of frame: Frame) -> [UInt8] { memory.window.bytes(at: frame.offset, byteCount: frame.byteCount) }
}
