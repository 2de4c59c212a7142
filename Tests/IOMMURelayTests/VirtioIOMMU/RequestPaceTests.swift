import DeviceMemory
import Testing

@testable import IOMMURelay

/// A limit of requests a second, on a clock of the test's own.
@Suite struct RequestPaceTests {
    @Test func bucketFillsWithTime() {
        var pace = RequestPace(requestsASecond: 1000)
        #expect(pace.allowance(at: 0) == 100)
        pace.take(100)
        #expect(pace.isEmpty && pace.allowance(at: 999_999) == 0)
        // Looks in between lose nothing.
        for now in stride(from: 1_000_000, through: 5_000_000, by: 300_000) as StrideThrough<UInt64> { _ = pace.allowance(at: now) }
        #expect(pace.allowance(at: 5_000_000) == 5)
        #expect(pace.allowance(at: 3_600_000_000_000) == 100)
    }

    @Test(arguments: [1, 7, 63, 1000, 999_999, .max] as [UInt64]) func aSecondHasAsManyAsItSays(rate: UInt64) {
        var pace = RequestPace(requestsASecond: rate)
        pace.take(pace.allowance(at: 0))
        var sum: UInt64 = 0
        for now in stride(from: 0, through: 10_000_000_000, by: 1_000_003) as StrideThrough<UInt64> {
            let now = pace.allowance(at: now)
            sum += now
            pace.take(now)
        }
        let expected = min(rate, 1_000_000_000) * 10
        #expect(sum <= expected && sum + expected / 50 + 1 >= expected)
    }

    @Test func guestThatFloodsWaits() throws {
        let (core, time) = (IOMMUCore(), Time())
        let bench = try IOMMUFunctionBench(core: core, requestsASecond: 1000) { time.now }
        try bench.driver.initialise()
        bench.worksByItself = false
        for slot in 0..<300 { _ = bench.driver.put(GuestIOMMURequest.detach(endpoint: 1, domain: 1), 4, slot: slot) }
        bench.driver.requests.publish()
        for _ in 0..<50 { bench.step() }
        #expect(bench.counters.requests == 100 && bench.wantsPolling)
        time.now = 50_000_000
        for _ in 0..<50 { bench.step() }
        #expect(bench.counters.requests == 150)
        time.now = 1_000_000_000
        for _ in 0..<50 { bench.step() }
        time.now = 2_000_000_000
        for _ in 0..<50 { bench.step() }
        #expect(bench.counters.requests == 300 && !bench.wantsPolling)
    }

    private final class Time { var now: UInt64 = 0 }
}
