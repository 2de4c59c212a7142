/// How a server waits, and what it takes from clients.
public struct ServerOptions: Sendable {
    /// Never sleep: lowest latency, one CPU busy for the server's life.
    public var busyPoll = false
    /// Offer no mapped areas: each doorbell is a message, and an idle server sleeps without looking.
    public var trapDoorbells = false
    /// Refuse DMA memory that its owner could shrink under us (no F_SEAL_SHRINK). Files on hugetlbfs have no seals, so it is
    /// off by default; a client that shrinks a file which it mapped for DMA then ends this process by SIGBUS.
    public var requiresSealedMemory = false
    /// Polled for so long after the last work before sleeping, in microseconds.
    public var pollMicroseconds: UInt64 = 50
    /// The same grows to as much while it pays off; nothing if it is not more than ``pollMicroseconds``.
    public var maximumPollMicroseconds: UInt64 = 0
    /// While it polls: give the CPU to others that wait for one. Clients may be among them; but who is answered by a thread that
    /// yields waits for a time slice of theirs.
    public var yieldsWhilePolling = true
    /// How often an asleep server looks at doorbells in mapped memory, in milliseconds.
    public var lookMilliseconds: Int32 = 1
    /// How long after the last work a model is stepped each `lookMilliseconds` although no doorbell is mapped, in milliseconds:
    /// interrupt moderation timers of NICs end within it.
    public var timerMilliseconds: UInt64 = 100
    /// A client that does not read its replies for so long is dropped, in milliseconds.
    public var stalledClientMilliseconds: UInt64 = 5000

    /// Keep the files behind the client's memory open, for who shows it to others (``DMASpace/files``).
    public var keepsMemoryFiles = false

    public init() {}
}
