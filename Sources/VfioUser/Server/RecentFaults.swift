import LinuxIO

/// The last faults of a server, newest at the end, and how many there were. A client makes as many as it likes: few are kept.
public struct RecentFaults: Equatable, Sendable {
    public struct Fault: Equatable, Sendable {
        /// On the monotonic clock.
        public let nanoseconds: UInt64
        public let reason: String
    }

    /// So many tell what a client does wrong.
    public static let limit = 8
    /// Reasons name what a client sent: cut here, characters.
    public static let longestReason = 200

    public private(set) var count: UInt64 = 0
    public private(set) var last: [Fault] = []

    public init() {}

    mutating func append(_ reason: String) {
        count &+= 1
        if last.count == Self.limit { last.removeFirst() }
        last.append(Fault(nanoseconds: MonotonicClock.nanoseconds(), reason: String(reason.prefix(Self.longestReason))))
    }
}
