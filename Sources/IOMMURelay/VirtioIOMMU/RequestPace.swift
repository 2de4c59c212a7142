/// A limit of requests a second: a bucket that fills as time goes by. A guest that has emptied it is not looked at until there is
/// something in it again, so that it slows itself alone.
struct RequestPace {
    private let rate: UInt64
    /// A tenth of a second's, and what one step takes at least: who rests may then do as much at once.
    private let capacity: UInt64
    private var filling: UInt64
    private var last: UInt64?

    init(requestsASecond rate: UInt64) {
        self.rate = min(max(rate, 1), 1_000_000_000)
        capacity = max(self.rate / 10, 64)
        filling = capacity
    }

    /// Requests that may be looked at now.
    mutating func allowance(at nanoseconds: UInt64) -> UInt64 {
        let since = last ?? nanoseconds
        // Of more than a second nothing would be left over anyway: no product is too large then.
        let passed = min(nanoseconds &- since, 1_000_000_000)
        let more = passed * rate / 1_000_000_000
        if more > 0 || last == nil {
            filling = min(filling + more, capacity)
            // What a request's time is not reached by is kept for the next look.
            last = more > 0 && passed < 1_000_000_000 ? since &+ more * 1_000_000_000 / rate : nanoseconds
        }
        return filling
    }

    mutating func take(_ count: UInt64) { filling -= min(filling, count) }

    var isEmpty: Bool { filling == 0 }
}
