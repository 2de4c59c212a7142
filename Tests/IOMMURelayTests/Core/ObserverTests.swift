import DeviceMemory
import Testing

@testable import IOMMURelay

/// What a person sees of requests: how long they took, what was refused, which faults there were.
@Suite struct ObserverTests {
    private final class Log: IOMMUObserver {
        var wantsRequests = true
        var lines: [String] = []
        func answered(_ request: IOMMURequest, _ status: IOMMUStatus, nanoseconds: UInt64) {
            lines.append("\(request.kind) \(status) \(nanoseconds)")
        }
        func moved(endpoint: UInt32, domain: UInt32?, _ status: IOMMUStatus) {
            lines.append("\(endpoint) to \(domain.map { "\($0)" } ?? "none") \(status)")
        }
        func batchEnded() { lines.append("batch") }
        func refused(_ refusal: IOMMURefusal) { lines.append("refused \(refusal.status)") }
        func faulted(_ fault: IOMMUFault) { lines.append("fault \(fault.address)") }
        func wasReset() { lines.append("reset") }
    }
    private final class Time { var now: UInt64 = 0 }

    @Test func everythingIsToldInOrder() throws {
        let (core, log, time) = (IOMMUCore(limits: .init(callsInAStep: 1)), Log(), Time())
        let mapper = FakeMapper(maximumPieceByteCount: 0x1000)
        try core.add(endpoint: 7, group: "g", back: FakeBack(sharing: mapper))
        core.observer = log
        core.clock = {
            time.now += 100
            return time.now
        }
        core.attach(7, 1)
        core.map(1, 0, 0x3fff)
        mapper.failure = { _ in .noMemory("full") }
        core.map(1, 0x8000, 0x8fff)
        mapper.failure = nil
        let run = (0x10..<0x12 as Range<UInt64>).map { page -> IOMMURequest in
            .map(domain: 1, first: page << 12, last: page << 12 + 0xfff, physical: GuestPhysicalAddress(page << 12), flags: 3)
        }
        var progress = core.begin(together: run)
        while progress == .working { progress = core.advance() }
        core.report(IOMMUFault(reason: .mapping, endpoint: 7, address: IOVA(0x99000), access: .write))
        core.detach(7, 1)
        core.reset()
        #expect(
            log.lines == [
                "7 to 1 ok", "attach ok 100", "map ok 100", "refused noMemory", "map noMemory 100", "map ok 100", "map ok 100",
                "fault \(IOVA(0x99000))", "7 to none ok", "detach ok 100", "reset",
            ])
        let statistics = core.statistics
        #expect(statistics.latency.total == 6 && statistics.latency.buckets.map(\.below) == [128])
        // The driver takes a fault; a person still sees it.
        #expect(core.takeFault() == nil && statistics.lastFaults.map(\.fault.address) == [IOVA(0x99000)])
    }

    @Test func whoDoesNotListenIsNotAsked() throws {
        let (core, log) = (IOMMUCore(), Log())
        try core.add(endpoint: 7, group: "g", back: FakeBack())
        (core.observer, log.wantsRequests) = (log, false)
        core.clock = { 0 }
        core.attach(7, 1)
        core.map(1, 0, 0xfff)
        #expect(log.lines == ["7 to 1 ok"])
    }

    @Test func bucketsArePowersOfTwo() {
        var histogram = LatencyHistogram()
        for time in [0, 1, 2, 3, 4, 1023, 1024, .max] as [UInt64] { histogram.record(time) }
        #expect(histogram.buckets.map(\.below) == [1, 2, 4, 8, 1024, 2048, nil])
        #expect(histogram.buckets.map(\.count) == [1, 1, 2, 1, 1, 1, 1] && histogram.total == 8)
    }

    @Test func lastFaultsAreBounded() throws {
        let core = IOMMUCore(limits: .init(faults: 4, refusals: 3))
        for page in 0..<10 as Range<UInt64> {
            core.report(IOMMUFault(reason: .domain, endpoint: 1, address: IOVA(page << 12), access: .read))
        }
        #expect(core.statistics.lastFaults.map(\.fault.address.rawValue) == [0x7000, 0x8000, 0x9000])
    }
}
