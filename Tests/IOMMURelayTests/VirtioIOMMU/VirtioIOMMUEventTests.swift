import DeviceMemory
import LinuxIO
import Testing

@testable import IOMMURelay

/// The event queue.
@Suite struct VirtioIOMMUEventTests {
    private static let fault = IOMMUFault(reason: .mapping, endpoint: 0x0102, address: IOVA(0x1234_5678_9abc_def0), access: .write)
    private static let report: [UInt8] =
        [2, 0, 0, 0, 2, 1, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0] + [0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12]

    @Test func aFaultFillsABufferAndInterrupts() throws {
        let bench = try IOMMUFunctionBench()
        let vector = try bench.connect(.msix, 1)
        try bench.driver.initialise()
        bench.handler.faults = [Self.fault, IOMMUFault(reason: .domain, endpoint: 7, address: IOVA(0), access: .read)]
        #expect(bench.step())
        #expect(bench.driver.takeEvents() == [Self.report, [1, 0, 0, 0, 1, 1, 0, 0, 7] + [UInt8](repeating: 0, count: 15)])
        #expect(EventFD.drain(vector.number) == 1)
        #expect(bench.counters.faultsReported == 2)
        #expect(!bench.step())
    }

    @Test func withoutABufferAFaultStaysWithTheHandler() throws {
        let bench = try IOMMUFunctionBench.running()
        bench.handler.faults = [IOMMUFault](repeating: Self.fault, count: 66)
        bench.step()
        bench.step()
        // 64 buffers.
        #expect(bench.handler.faults.count == 2 && bench.counters.faultsReported == 64)
        #expect(bench.driver.takeEvents().count == 64)
        bench.step()
        #expect(bench.driver.takeEvents() == [Self.report, Self.report])
    }

    @Test func aBufferThatIsTooSmallIsNotUsedForIt() throws {
        let bench = try IOMMUFunctionBench()
        try bench.driver.initialise(eventBufferByteCount: 23)
        bench.handler.faults = [Self.fault]
        bench.step()
        #expect(bench.driver.takeEvents() == [[UInt8]](repeating: [], count: 64))
        #expect(bench.counters.eventBuffersTooSmall == 64 && bench.counters.faultsReported == 0)
        // The fault waits for one that fits; the small ones are before it.
        bench.driver.reset()
        #expect(bench.handler.faults.isEmpty)
        bench.handler.faults = [Self.fault]
        try bench.driver.initialise(eventBufferByteCount: 64)
        bench.step()
        #expect(bench.driver.takeEvents() == [Self.report])
    }

    @Test func aFaultIsReportedWhileARequestIsUnderWay() throws {
        let handler = ScriptedIOMMUHandler()
        handler.looksARequest = 3
        let bench = try IOMMUFunctionBench.running(handler)
        bench.worksByItself = false
        _ = bench.driver.put(GuestIOMMURequest.detach(endpoint: 1, domain: 1), 4, slot: 0)
        bench.driver.requests.publish()
        bench.step()
        handler.faults = [Self.fault]
        bench.step()
        #expect(bench.driver.takeEvents() == [Self.report])
        bench.step()
        bench.step()
        let at = bench.driver.buffer(0) + 20
        #expect(bench.driver.requests.takeUsed()?.length == 4 && bench.memory.window.bytes(at: at, byteCount: 4) == [0, 0, 0, 0])
    }

    /// INTx: high until the status is read.
    @Test func withoutMSIXTheLineIsRaised() throws {
        let bench = try IOMMUFunctionBench.running()
        bench.handler.faults = [Self.fault]
        bench.step()
        #expect(bench.environment.isINTxHigh)
        #expect(bench.readBAR(0, at: 0x1000, byteCount: 1) == 1)
        #expect(!bench.environment.isINTxHigh)
    }
}
