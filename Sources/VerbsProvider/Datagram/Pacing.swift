/// Keeps a sender from running away from a port that has fewer buffers than it has time: what credits do on an InfiniBand link.
/// Nothing is sent again; a datagram that is lost stays lost, and those behind it report it gone.
struct Pacing: BitwiseCopyable {
    /// Datagrams on their way: with the largest MTU about half of a wire's ring of 256 KiB (docs/wire.md).
    static let window: UInt32 = 32
    /// Datagrams after which the other port is told, if no datagram tells it.
    static let reportInterval: UInt32 = 8
    /// Nanoseconds after which unreported datagrams count as lost: longer than a process is seldom off the processor.
    static let patience: UInt64 = 200_000_000

    // Sending.
    private(set) var sent: UInt32 = 0
    /// Behind the last one that the other port has reported.
    private var reported: UInt32 = 0
    private var stalledSince: UInt64 = 0
    /// It has not answered once: it is not waited for before it does.
    private var isSilent = false

    // Receiving.
    /// Behind the last one that came.
    private(set) var arrived: UInt32 = 0
    private var told: UInt32 = 0

    /// Whether one more may go.
    mutating func mayGo(now: UInt64) -> Bool {
        if sent &- reported < Self.window || isSilent { return true }
        if stalledSince == 0 { stalledSince = now }
        guard now &- stalledSince >= Self.patience else { return false }
        stalledSince = 0
        reported = sent
        isSilent = true
        return true
    }

    /// The number of the next one, which goes now.
    mutating func next() -> UInt32 {
        defer { sent &+= 1 }
        return sent
    }

    /// A report came. One of numbers that were never sent is nobody's.
    mutating func heard(report: UInt32) {
        guard sent &- report <= sent &- reported else { return }
        if report != reported {
            stalledSince = 0
            isSilent = false
        }
        reported = report
    }

    /// A datagram came; one that was overtaken changes nothing.
    mutating func came(number: UInt32) {
        if Int32(bitPattern: number &+ 1 &- arrived) > 0 { arrived = number &+ 1 }
    }

    var owesReport: Bool { arrived &- told >= Self.reportInterval }
    /// What goes along with a frame to the other port, which is told by it.
    mutating func tell() -> UInt32 {
        told = arrived
        return arrived
    }
}
