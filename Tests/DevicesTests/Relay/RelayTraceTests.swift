import DeviceMemory
import IOMMURelay
import Testing

@testable import Devices

/// The lines of a relay's trace, and that nothing is kept which nobody reads.
@Suite struct RelayTraceTests {
    private func text(_ trace: RelayTrace, _ position: inout UInt64) -> [String] {
        String(decoding: trace.lines(after: &position), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func map(_ trace: RelayTrace, _ domain: UInt32 = 1) {
        let request = IOMMURequest.map(domain: domain, first: 0x1000, last: 0x1fff, physical: GuestPhysicalAddress(0x8000), flags: 3)
        trace.append(request, .ok, nanoseconds: 1500)
    }

    @Test func nothingIsKeptWhileNobodyListens() {
        let trace = RelayTrace()
        map(trace)
        var position = trace.join()
        #expect(text(trace, &position).isEmpty)
        map(trace)
        #expect(text(trace, &position).count == 1)
        trace.leave()
        map(trace)
        position = trace.join()
        #expect(text(trace, &position).isEmpty)
    }

    @Test func everyKindHasItsLine() throws {
        let trace = RelayTrace()
        var position = trace.join()
        trace.append(.attach(endpoint: 0x100, domain: 2, flags: 0), .ok, nanoseconds: 1)
        trace.append(.detach(endpoint: 0x100, domain: 2), .noEntry, nanoseconds: 2)
        map(trace)
        trace.append(.unmap(domain: 1, first: 0x1000, last: .max), .range, nanoseconds: 3)
        trace.append(.probe(endpoint: 0x100), .ok, nanoseconds: 4)
        trace.append(IOMMUFault(reason: .mapping, endpoint: 0x100, address: IOVA(0x5000), access: .write))
        trace.appendReset()
        let lines = text(trace, &position)
        let ends = [
            #""kind":"attach","endpoint":"0x100","domain":2,"flags":0,"status":"ok","took_nanoseconds":1}"#,
            #""kind":"detach","endpoint":"0x100","domain":2,"status":"noEntry","took_nanoseconds":2}"#,
            #""kind":"map","domain":1,"first":"0x1000","last":"0x1fff","physical":"0x8000","flags":3,"status":"ok","took_nanoseconds":1500}"#,
            #""kind":"unmap","domain":1,"first":"0x1000","last":"0xffffffffffffffff","status":"range","took_nanoseconds":3}"#,
            #""kind":"probe","endpoint":"0x100","status":"ok","took_nanoseconds":4}"#,
            #""kind":"fault","endpoint":"0x100","address":"0x5000","access":"write","reason":"not mapped"}"#, #""kind":"reset"}"#,
        ]
        try #require(lines.count == ends.count)
        for (line, end) in zip(lines, ends) { #expect(line.hasSuffix(end), "\(line)") }
    }

    /// Requests that were in the ring at once have one number.
    @Test func batchesAreTold() throws {
        let trace = RelayTrace()
        var position = trace.join()
        map(trace)
        map(trace)
        trace.endBatch()
        map(trace)
        let lines = text(trace, &position)
        #expect(lines.map { $0.contains(#""batch":0,"kind":"map""#) } == [true, true, false] && lines[2].contains(#""batch":1,"#))
    }

    /// One who is slow is told how much it missed; one who is not sees all.
    @Test func slowListenersAreToldWhatTheyMissed() {
        let trace = RelayTrace()
        var (slow, quick) = (trace.join(), trace.join())
        for number in 0..<UInt32(RelayTrace.limit) + 10 {
            map(trace, number)
            if number % 1000 == 0 { _ = text(trace, &quick) }
        }
        let lines = text(trace, &slow)
        #expect(lines.count == RelayTrace.limit + 1 && lines.first == #"{"kind":"missed","count":10}"#)
        #expect(lines[1].contains(#""domain":10,"#) && text(trace, &quick).first?.contains("missed") == false)
        trace.leave()
        map(trace)
        #expect(text(trace, &slow).count == 1)
    }
}
