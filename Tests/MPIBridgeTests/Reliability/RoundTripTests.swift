import Testing

@testable import MPIBridge

/// RFC 6298 §2 and §5, in nanoseconds.
@Suite struct RoundTripTests {
    private static func options(_ change: (inout TransportOptions) -> Void = { _ in }) -> TransportOptions {
        var options = TransportOptions()
        options.firstTimeout = 100_000_000
        options.shortestTimeout = 1
        options.longestTimeout = 1_000_000_000
        change(&options)
        return options
    }

    /// §2.1: a fixed time until there is a sample.
    @Test func itBeginsWithTheOptions() { #expect(RoundTrip(options: Self.options { $0.firstTimeout = 7 }).retransmissionTimeout == 7) }

    /// §2.2: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR.
    @Test func theFirstSampleCountsThreefold() {
        var trip = RoundTrip(options: Self.options())
        trip.measured(10_000_000)
        #expect(trip.retransmissionTimeout == 30_000_000)
    }

    /// §2.3, alpha = 1/8 and beta = 1/4, the variation first: 3/4·5 + 1/4·10 = 6.25; 7/8·10 + 1/8·20 = 11.25; 11.25 + 4·6.25.
    @Test func laterSamplesAreSmoothed() {
        var trip = RoundTrip(options: Self.options())
        trip.measured(10_000_000)
        trip.measured(20_000_000)
        #expect(trip.retransmissionTimeout == 36_250_000)
        // One that is shorter: 3/4·6.25 + 1/4·10.25 = 7.25; 7/8·11.25 + 1/8·1 = 9.96875.
        trip.measured(1_000_000)
        #expect(trip.retransmissionTimeout == 38_968_750)
    }

    /// §2.4 and §2.5, with limits of this transport's own.
    @Test func limitsHold() {
        var trip = RoundTrip(options: Self.options { $0.shortestTimeout = 500_000 })
        for _ in 0..<100 { trip.measured(10) }
        #expect(trip.retransmissionTimeout == 500_000)
        // One away for long, then as before: it is forgotten soon.
        trip.measured(.max / 8)
        #expect(trip.retransmissionTimeout < 1_200_000)
        for _ in 0..<8 { trip.measured(10) }
        #expect(trip.retransmissionTimeout == 500_000)
        // A path that has become slow.
        for _ in 0..<16 { trip.measured(.max / 8) }
        #expect(trip.retransmissionTimeout == 1_000_000_000)
    }

    /// §5.5: doubled each time, up to the limit. Anything new that is acknowledged ends it.
    @Test func itBacksOffUpToTheLimit() {
        var trip = RoundTrip(options: Self.options { $0.firstTimeout = 1_000_000 })
        var expected: UInt64 = 1_000_000
        for _ in 0..<200 {
            trip.timedOut()
            expected = min(1_000_000_000, expected * 2)
            #expect(trip.retransmissionTimeout == expected)
        }
        trip.advanced()
        #expect(trip.retransmissionTimeout == 1_000_000)
    }
}
