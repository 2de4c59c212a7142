import Synchronization

/// How far a run is, for a progress bar in another thread.
public final class PingPongProgress: Sendable {
    private let doneCount = Atomic<Int>(0)
    private let currentSize = Atomic<Int>(0)

    public init() {}

    /// Round trips so far, warm-up included.
    public var done: Int { doneCount.load(ordering: .relaxed) }
    /// The frame size being measured; 0 before the server was found.
    public var size: Int { currentSize.load(ordering: .relaxed) }

    /// Called by the client's thread alone: a plain load and store.
    func advance() { doneCount.store(doneCount.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }
    func start(size: Int) { currentSize.store(size, ordering: .relaxed) }
}
