/// Somebody who looks on: a trace, a log. Called on the core's thread, and must not keep it.
public protocol IOMMUObserver: AnyObject {
    /// Whether ``answered(_:_:nanoseconds:)`` is to be called now: somebody listens.
    var wantsRequests: Bool { get }
    /// Requests that were carried out together follow each other, each with the time of all.
    func answered(_ request: IOMMURequest, _ status: IOMMUStatus, nanoseconds: UInt64)
    /// What was answered since the last time was one batch of the guest's.
    func batchEnded()
    /// An endpoint went somewhere.
    func moved(endpoint: UInt32, domain: UInt32?, _ status: IOMMUStatus)
    func refused(_ refusal: IOMMURefusal)
    func faulted(_ fault: IOMMUFault)
    func wasReset()
}

/// A fault, kept for people after the driver took it.
public struct SeenFault: Equatable, Sendable {
    public var fault: IOMMUFault
    /// On the monotonic clock; 0 without one.
    public var nanoseconds: UInt64
}

/// How long requests took, from their beginning to their answer: a count for each power of two of nanoseconds.
public struct LatencyHistogram: Equatable, Sendable {
    private var counts = [UInt64](repeating: 0, count: 36)

    public init() {}

    /// The last one has all that took longer.
    mutating func record(_ nanoseconds: UInt64, times: UInt64 = 1) {
        let place = min(UInt64.bitWidth - nanoseconds.leadingZeroBitCount, counts.count - 1)
        counts[place] &+= times
    }

    /// Ascending, those that are not empty: all in one took less than `below` nanoseconds, and at least half of it; nil: or longer.
    public var buckets: [(below: UInt64?, count: UInt64)] {
        counts.indices.filter { counts[$0] > 0 }.map { ($0 == counts.count - 1 ? nil : 1 << UInt64($0), counts[$0]) }
    }

    public var total: UInt64 { counts.reduce(0, &+) }
}
