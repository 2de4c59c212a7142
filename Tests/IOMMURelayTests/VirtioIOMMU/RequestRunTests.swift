import DeviceMemory
import Testing

@testable import IOMMURelay

/// What is in the ring at once goes to the host together, and every request gets its own answer.
@Suite struct RequestRunTests {
    private let mapper: FakeMapper
    /// Of the endpoints of recorded traces.
    private let others: [FakeMapper]
    private let core: IOMMUCore
    private let bench: IOMMUFunctionBench
    private var driver: GuestIOMMUDriver { bench.driver }

    init() throws {
        mapper = FakeMapper()
        core = IOMMUCore(limits: .init(callsInAStep: 8))
        try core.add(endpoint: 1, group: "1", back: FakeBack(sharing: mapper))
        others = [FakeMapper(), FakeMapper()]
        for (endpoint, other) in zip([0x100, 0x200] as [UInt32], others) {
            try core.add(endpoint: endpoint, group: "\(endpoint)", back: FakeBack(sharing: other))
        }
        bench = try IOMMUFunctionBench(core: core)
        try bench.driver.initialise()
    }

    private func send(_ requests: [[UInt8]]) throws -> [UInt8] {
        try driver.send(requests.map { ($0, 4) }).map { $0.length == 4 ? $0.status : 0xff }
    }

    private func map(_ page: UInt64, to physical: UInt64, flags: UInt32 = 3) -> [UInt8] {
        GuestIOMMURequest.map(domain: 1, page << 12, page << 12 + 0xfff, to: physical << 12, flags: flags)
    }

    @Test func batchesReachTheHostAsAreas() throws {
        #expect(try driver.attach(endpoint: 1, domain: 1) == 0)
        // Two stretches of guest memory, and one of another access.
        let maps = [map(0, to: 16), map(1, to: 17), map(2, to: 18), map(3, to: 32), map(4, to: 33), map(5, to: 34, flags: 1)]
        #expect(try send(maps) == [0, 0, 0, 0, 0, 0])
        #expect(mapper.pieces.map { $0.range.byteCount } == [0x3000, 0x2000, 0x1000] && core.statistics.hostMapCalls == 3)
        // By themselves, since nothing is beside them: one batch each.
        for page in [8, 9] as [UInt64] { #expect(try send([map(page, to: 56 + page)]) == [0]) }
        #expect(core.statistics.hostMapCalls == 5)
    }

    /// The third is mapped already, the last has no domain; a PROBE and an unknown request are in between.
    @Test func eachGetsItsOwnAnswer() throws {
        #expect(try driver.attach(endpoint: 1, domain: 1) == 0)
        #expect(try driver.map(domain: 1, 0x2000, 0x2fff, to: 0x1000) == 0)
        let foreign = GuestIOMMURequest.map(domain: 7, 0x4000, 0x4fff, to: 0x14000)
        #expect(try send([map(0, to: 16), map(1, to: 17), map(2, to: 18), map(3, to: 19), foreign]) == [0, 0, 4, 0, 6])
        #expect(core.statistics.mappings == 4 && mapper.complaints.isEmpty)
        let probe = GuestIOMMURequest.probe(endpoint: 99)
        #expect(try send([map(8, to: 24), map(9, to: 25), probe, map(10, to: 26), map(11, to: 27)]) == [0, 0, 4, 0, 0])
        #expect(core.statistics.merges == 2)
    }

    @Test func hostThatFailsTheWholeIsAskedForEach() throws {
        #expect(try driver.attach(endpoint: 1, domain: 1) == 0)
        // The merged call, and then the second of the four.
        mapper.failure = { [1, 3].contains($0) ? .noMemory("full") : nil }
        let answers = try send((0..<4).map { map($0, to: 16 + $0) })
        #expect(answers == [0, 8, 0, 0])
        #expect(mapper.pieces.map(\.range.start.rawValue) == [0, 0x2000, 0x3000] && mapper.complaints.isEmpty)
    }

    /// Steps of eight calls: 200 single pages that are no neighbours, and an area of pieces.
    @Test func longBatchesAreAnsweredInOrderAndWhole() throws {
        #expect(try driver.attach(endpoint: 1, domain: 1) == 0)
        let large = (0..<40 as Range<UInt64>).map {
            GuestIOMMURequest.map(domain: 1, 1 << 40 + $0 << 26, 1 << 40 + ($0 + 1) << 26 - 1, to: $0 << 26)
        }
        let answers = try send((0..<200).map { map($0, to: 1000 - $0) } + large)
        #expect(answers.allSatisfy { $0 == 0 })
        #expect(core.statistics.mappings == 240 && mapper.pieces.count == 240 && mapper.complaints.isEmpty)
    }

    @Test func resetForgetsWhatWasHeldBack() throws {
        #expect(try driver.attach(endpoint: 1, domain: 1) == 0)
        bench.worksByItself = false
        for slot in 0..<4 {
            let first = UInt64(slot) << 40
            _ = driver.put(GuestIOMMURequest.map(domain: 1, first, first + 1 << 40 - 1, to: first), 4, slot: slot)
        }
        driver.requests.publish()
        bench.step()
        driver.reset()
        bench.worksByItself = true
        try driver.initialise()
        #expect(try driver.attach(endpoint: 1, domain: 1) == 0)
        #expect(mapper.pieces.isEmpty)
        #expect(try driver.map(domain: 1, 0, 0xfff, to: 0) == 0)
    }

    // MARK: Traces

    /// Host calls for a hundred requests of the guest, with merging and without, and how often an area was split.
    private static let traces: [(name: String, calls: UInt64, apart: UInt64, splits: UInt64)] = [
        ("hugepage-pool", 130, 170, 0), ("mpi-start-up", 31, 100, 0), ("driver-streaming", 93, 100, 0),
        ("recorded-pingpong", 100, 100, 0), ("recorded-hugepages", 87, 100, 0), ("recorded-kernel-tcp", 100, 100, 0),
    ]

    @Test(arguments: traces) func tracesTakeFewHostCalls(name: String, calls: UInt64, apart: UInt64, splits: UInt64) throws {
        let merged = try hostCalls(of: name)
        #expect(merged == calls)
        #expect(core.statistics.splits == splits && mapper.complaints.isEmpty)
        let other = try RequestRunTests()
        for mapper in [other.mapper] + other.others { mapper.joinsNeighbours = false }
        let single = try other.hostCalls(of: name)
        #expect(single == apart)
        print("\(name): \(merged) host calls for 100 requests, \(single) without merging")
    }

    private func hostCalls(of trace: String) throws -> UInt64 {
        for batch in try RequestTrace(trace).batches where !batch.isEmpty {
            let answers = try send(batch)
            #expect(answers.allSatisfy { $0 == 0 })
        }
        let complaints = others.flatMap(\.complaints)
        #expect(complaints.isEmpty, "\(complaints)")
        let statistics = core.statistics
        return (statistics.hostMapCalls + statistics.hostUnmapCalls) * 100 / statistics.carriedOut
    }
}
