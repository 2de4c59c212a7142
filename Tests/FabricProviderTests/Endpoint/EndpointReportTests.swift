import MPIBridge
import Testing

@testable import FabricProvider

@Suite struct EndpointReportTests {
    @Test func oneLineThatProgramsCanRead() {
        var counters = TransportCounters()
        counters.messagesSent = 3
        counters.retransmittedFrames = 2
        let text = EndpointReport.text(device: "soft:x", process: 17, counters)
        #expect(text.hasPrefix("unic: process 17, soft:x: messages-sent=3 "))
        #expect(text.contains(" retransmitted=2 "))
        #expect(text.filter(\.isNewline).count == 1 && text.hasSuffix("\n"))
    }
}
