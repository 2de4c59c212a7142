public import DeviceMemory
public import LinuxIO

/// A cable between two models of one process and one thread: whatever one end sends, the other receives.
/// Each direction holds a fixed number of frames; what does not fit is dropped and counted.
public final class CableWire: Wire {
    /// Frames on their way to this end.
    private var queue: FrameQueue
    private weak var peer: CableWire?
    public private(set) var counters = WireCounters()
    /// The last thing that this end announced; nil before. Frames are not filtered by it.
    public private(set) var announced: UInt64??

    private init(depth: Int) throws(SystemCallError) { queue = try FrameQueue(depth: depth) }

    /// Both ends. An end whose peer is gone has no carrier.
    /// - Parameter depth: frames that each direction holds.
    public static func pair(depth: Int = 256) throws(SystemCallError) -> (CableWire, CableWire) {
        let first = try CableWire(depth: depth)
        let second = try CableWire(depth: depth)
        first.peer = second
        second.peer = first
        return (first, second)
    }

    /// Pulls the plug: both ends lose their carrier.
    public func disconnect() {
        peer?.peer = nil
        peer = nil
    }

    public func send(_ frame: MemoryWindow) {
        counters.sentFrames &+= 1
        guard let peer, frame.byteCount > 0, frame.byteCount <= wireMaximumFrameByteCount else { return }
        if !peer.queue.append(frame) { counters.droppedFull &+= 1 }
    }

    /// Nobody sleeps: both ends are on one thread.
    public func flush() {}

    public func nextReceived() -> MemoryWindow? { queue.first }

    public func dropReceived() {
        guard queue.first != nil else { return }
        queue.removeFirst()
        counters.receivedFrames &+= 1
    }

    public func announceFilter(unicast: UInt64?) { announced = .some(unicast) }
    public var hasCarrier: Bool { peer != nil }

    /// Nobody else runs: nothing can arrive while this thread sleeps.
    public func armWake() -> Int32? { nil }
    public func disarmWake() {}
}

/// Copies of frames, oldest first, in memory of its own.
private struct FrameQueue: ~Copyable {
    private static let slotByteCount = 9216
    private let memory: DMAMemory
    private let depth: Int
    private var lengths: [Int]
    private var head = 0
    private var count = 0

    init(depth: Int) throws(SystemCallError) {
        self.depth = max(depth, 1)
        memory = try DMAMemory.ordinary(byteCount: max(depth, 1) * FrameQueue.slotByteCount, name: "unic-cable")
        lengths = Array(repeating: 0, count: max(depth, 1))
    }

    var first: MemoryWindow? {
        count == 0 ? nil : memory.window.slice(at: head * FrameQueue.slotByteCount, byteCount: lengths[head])
    }

    /// False: full.
    mutating func append(_ frame: MemoryWindow) -> Bool {
        guard count < depth else { return false }
        let slot = (head + count) % depth
        frame.copy(at: 0, byteCount: frame.byteCount, to: memory.window, at: slot * FrameQueue.slotByteCount)
        lengths[slot] = frame.byteCount
        count += 1
        return true
    }

    mutating func removeFirst() {
        head = (head + 1) % depth
        count -= 1
    }
}
