import Glibc

/// What poll(2) waits for and tells. The values are the kernel's (asm-generic/poll.h).
public struct PollEvents: OptionSet, Sendable {
    public let rawValue: Int16
    public init(rawValue: Int16) { self.rawValue = rawValue }
    public static let readable = PollEvents(rawValue: 0x001)
    public static let writable = PollEvents(rawValue: 0x004)
    /// POLLRDHUP: the peer closed its side, or stopped writing.
    public static let peerClosed = PollEvents(rawValue: 0x2000)
    /// POLLERR, POLLHUP, POLLNVAL and POLLRDHUP: nothing more will come.
    public static let gone = PollEvents(rawValue: 0x008 | 0x010 | 0x020 | 0x2000)
}

/// A descriptor and what to wait for on it.
public struct PollRequest: Sendable {
    public var number: Int32
    public var events: PollEvents
    public init(_ number: Int32, _ events: PollEvents) {
        self.number = number
        self.events = events
    }
}

/// Waits until something happens on one of the descriptors, the time is over, or a signal arrives (poll(2)).
/// - Parameter timeoutMilliseconds: -1 waits without end, 0 only looks.
/// - Returns: for each request what happened; all empty after a time-out or a signal.
public func waitForEvents(_ requests: [PollRequest], timeoutMilliseconds: Int32) -> [PollEvents] {
    var entries = requests.map { pollfd(fd: $0.number, events: $0.events.rawValue, revents: 0) }
    // SAFETY: the array is ours for the time of the call and its length is given.
    let ready = unsafe poll(&entries, nfds_t(entries.count), timeoutMilliseconds)
    return entries.map { PollEvents(rawValue: ready > 0 ? $0.revents : 0) }
}
