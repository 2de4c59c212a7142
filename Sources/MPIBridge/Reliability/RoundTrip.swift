/// Round trip times of one peer, and how long its acknowledgements are waited for (RFC 6298). Nanoseconds.
struct RoundTrip: BitwiseCopyable {
    private var smoothed: UInt64 = 0
    private var variation: UInt64 = 0
    private var timeout: UInt64
    private var backOff: UInt64 = 0
    private let shortest: UInt64
    private let longest: UInt64

    init(options: TransportOptions) {
        timeout = options.firstTimeout
        shortest = options.shortestTimeout
        longest = options.longestTimeout
    }

    /// Time until a retransmission, back-off included.
    var retransmissionTimeout: UInt64 { min(longest, timeout &<< backOff) }
    /// How long a frame that was just sent again is left alone.
    var smoothedOrShortest: UInt64 { smoothed == 0 ? shortest : smoothed }

    /// §2.2 and §2.3; §3 (Karn): never of a frame that was sent twice, which the caller sees to. A sample counts at most as twice the
    /// time-out: a peer that computed for a minute has not become slow, and a path that has is known after a few.
    mutating func measured(_ time: UInt64) {
        let sample = min(time, 2 &* timeout)
        if smoothed == 0 {
            smoothed = max(1, sample)
            variation = sample / 2
        } else {
            let difference = smoothed > sample ? smoothed - sample : sample - smoothed
            variation = (3 &* variation &+ difference) / 4
            smoothed = max(1, (7 &* smoothed &+ sample) / 8)
        }
        timeout = min(longest, max(shortest, smoothed &+ 4 &* variation))
    }

    /// Something new was acknowledged: the peer is there, and back-off ends without waiting for a sample.
    mutating func advanced() { backOff = 0 }
    /// §5.5.
    mutating func timedOut() { if retransmissionTimeout < longest { backOff &+= 1 } }
}
