import DeviceMemory
import Testing

@testable import IOMMURelay

/// A guest whose memory is not the one that is seen here is told of, and never waits in silence.
@Suite struct KickWatchTests {
    private final class Told {
        var now: UInt64 = 5
        var troubles: [VirtioIOMMUTrouble] = []
    }
    private let told: Told
    private let bench: IOMMUFunctionBench

    init() throws {
        let told = Told()
        self.told = told
        bench = try IOMMUFunctionBench(core: IOMMUCore(), clock: { told.now }, troubled: { told.troubles.append($0) })
        try bench.driver.initialise()
    }

    private func kick() { bench.writeBAR(0, at: 0x3000, 0, byteCount: 2) }

    @Test func ringThatNeverMovesIsTold() {
        #expect(!bench.wantsPolling)
        kick()
        bench.step()
        #expect(told.troubles.isEmpty && bench.wantsPolling)
        told.now += 500_000_000
        kick()
        bench.step()
        told.now += 499_999_999
        bench.step()
        #expect(told.troubles.isEmpty)
        told.now += 1
        for _ in 0..<3 { bench.step() }
        #expect(told.troubles == [.memoryNotShared(kicks: 2)] && !bench.wantsPolling)
        #expect(told.troubles[0].description.contains("share=on"))
    }

    @Test func resetBeginsAnew() throws {
        kick()
        bench.driver.reset()
        told.now += 2_000_000_000
        try bench.driver.initialise()
        bench.step()
        #expect(told.troubles.isEmpty)
        kick()
        told.now += 2_000_000_000
        bench.step()
        #expect(told.troubles.count == 1)
    }

    /// A notification may come after its request was taken already.
    @Test func guestThatWasEverHeardIsNotSuspected() throws {
        _ = try bench.driver.attach(endpoint: 1, domain: 1)
        for _ in 0..<3 {
            kick()
            told.now += 2_000_000_000
            bench.step()
        }
        #expect(told.troubles.isEmpty && !bench.wantsPolling)
    }

    @Test func ringInMemoryThatIsNotSeenIsTold() throws {
        bench.driver.reset()
        bench.environment.dma.unmapAll()
        #expect(throws: GuestIOMMUDriver.Failure.noAnswer) {
            try bench.driver.initialise()
            _ = try bench.driver.attach(endpoint: 1, domain: 1)
        }
        #expect(told.troubles.contains(.queueStopped(0, .unreachable)))
        #expect(told.troubles.allSatisfy { $0.description.contains("share=on") })
    }
}
