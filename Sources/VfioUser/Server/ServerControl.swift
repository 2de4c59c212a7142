public import LinuxIO
import Synchronization

/// A running server as other threads and signal handlers see it.
public final class ServerControl: Sendable {
    private let wanted = Atomic<Bool>(false)
    private let event: EventFD
    private let published = Mutex(ServerStatistics())

    public init() throws(SystemCallError) { event = try EventFD() }

    /// Ends ``VfioUserServer/serve()`` soon, from any thread.
    public func stop() {
        wanted.store(true, ordering: .releasing)
        event.signal()
    }

    /// An eventfd: writing 1 to it stops the server too, and is allowed in a signal handler.
    public var stopDescriptor: Int32 { event.number }

    /// As of the last time that the server went to sleep (a busy one: each millisecond), served 256 messages, or lost its client.
    public var statistics: ServerStatistics { published.withLock { $0 } }

    /// Cheap: no system call.
    var isStopRequested: Bool { wanted.load(ordering: .acquiring) }

    /// Looks whether somebody wrote to the eventfd alone.
    public func noticeSignal() { if event.drain() > 0 { wanted.store(true, ordering: .releasing) } }

    func publish(_ statistics: ServerStatistics) { published.withLock { $0 = statistics } }
}
