import DeviceAccess
import DeviceMemory
import HostBack
import IOMMURelay
import LinuxIO
import Synchronization
import Testing

/// Another server that is scripted: it answers when it is let, and refuses what it is told to.
private final class ScriptedServer: MappingServer {
    struct State {
        var mapped: [IOVARange: UInt64] = [:]
        var calls: [String] = []
        /// Calls that may be answered; nil: all.
        var permits: Int?
        var refusedMaps: Set<UInt64> = []
        var refusesUnmaps = false
        var isGone = false
        var hangUps = 0
    }
    let state = Mutex(State())

    private func answer() throws(DeviceError) {
        let deadline = Deadline(afterMilliseconds: 2000)
        while true {
            let may = state.withLock { state in
                guard let permits = state.permits else { return true }
                state.permits = max(0, permits - 1)
                return permits > 0
            }
            if may { break }
            guard !deadline.hasPassed else { throw .timedOut(device: "test", waitingFor: "a permit", milliseconds: 2000) }
            _ = waitForEvents([], timeoutMilliseconds: 1)
        }
        if state.withLock({ $0.isGone }) { throw .gone(device: "test", reason: "it is gone") }
    }

    func map(_ piece: FilePiece) throws(DeviceError) {
        try answer()
        let isRefused = state.withLock { state in
            state.calls.append("map \(piece.range.start)")
            guard !state.refusedMaps.contains(piece.range.start.rawValue) else { return true }
            state.mapped[piece.range] = piece.fileOffset
            return false
        }
        if isRefused {
            let cause = SystemCallError(call: "DMA_MAP", subject: "test", errno: .noSpace)
            throw .systemCall(device: "test", group: nil, cause: cause, fix: "None.")
        }
    }

    func unmap(_ ranges: [IOVARange]) throws(DeviceError) { for range in ranges { try unmap(range) } }

    private func unmap(_ range: IOVARange) throws(DeviceError) {
        try answer()
        let isKnown = state.withLock { state in
            state.calls.append("unmap \(range.start)")
            return !state.refusesUnmaps && state.mapped.removeValue(forKey: range) != nil
        }
        if !isKnown { throw .unmapDMA(device: "test", range: range, reason: "the test refuses") }
    }

    func checkPresence() throws(DeviceError) {
        if state.withLock({ $0.isGone }) { throw .gone(device: "test", reason: "it is gone") }
    }
    func hangUp(_ reason: String) {
        state.withLock { state in
            state.hangUps += 1
            state.mapped = [:]
        }
    }
}

/// Files behind a guest's memory, of which one is not kept.
private final class KeptFiles: MemoryFiles {
    let file: SharedDescriptor
    let start: UInt64
    init(_ memory: borrowing DMAMemory) throws {
        file = SharedDescriptor(try memory.file.duplicate())
        start = memory.processAddress
    }
    func file(ofTag tag: UInt32) -> (file: SharedDescriptor, processAddress: UInt64)? { tag == 0 ? (file, start) : nil }
}

/// The core in front of another server: `IOMMUCore`'s steps, with calls that are answered later.
@Suite("Another server behind the IOMMU") struct ServedBackTests {
    private final class Bench {
        let server = ScriptedServer()
        let core = IOMMUCore()
        let back: ServedBack
        let ends = Ends()
        private let memory: GuestBench
        private let files: KeptFiles

        final class Ends: Sendable { let reasons = Mutex<[String]>([]) }

        init() throws {
            memory = try GuestBench()
            files = try KeptFiles(memory.memory)
            memory.guest.files = files
            let unkept = try DMAMemory.ordinary(byteCount: 4096)
            try memory.guest.map(range(0x90_0000, 0x90_0fff), to: unkept.window, access: .readWrite, tag: 1)
            back = try ServedBack(server: server, guest: memory.guest) { [ends] reason in ends.reasons.withLock { $0.append(reason) } }
            try core.add(endpoint: 8, group: "other", back: back)
        }

        /// To its end.
        func ask(_ request: IOMMURequest) -> IOMMUStatus {
            var progress = core.begin(request)
            let deadline = Deadline(afterMilliseconds: 10_000)
            while true {
                if case .done(let status, _) = progress { return status }
                guard !deadline.hasPassed else { return .fault }
                progress = core.advance()
            }
        }

        func attach() { #expect(ask(.attach(endpoint: 8, domain: 1, flags: 0)) == .ok) }

        func map(_ first: UInt64, _ last: UInt64, to physical: UInt64) -> IOMMURequest {
            .map(domain: 1, first: first, last: last, physical: GuestPhysicalAddress(physical), flags: 3)
        }

        var mapped: [IOVARange: UInt64] { server.state.withLock { $0.mapped } }
        func set(_ change: (inout ScriptedServer.State) -> Void) { server.state.withLock { change(&$0) } }

        func loseGuestMemory(_ range: IOVARange) {
            _ = memory.guest.unmap(range)
            back.guestMemoryChanged()
        }
    }

    @Test func aMappingBecomesAMessageForEachPieceOfTheGuestsFile() throws {
        let bench = try Bench()
        bench.attach()
        // Across the two pieces of the guest's memory, of which the second one is first in the file.
        #expect(bench.ask(bench.map(0x7000_0000, 0x7001_ffff, to: 0xf_0000)) == .ok)
        #expect(bench.mapped == [range(0x7000_0000, 0x7000_ffff): 0x1f_0000, range(0x7001_0000, 0x7001_ffff): 0])
        #expect(bench.ask(.unmap(domain: 1, first: 0, last: .max)) == .ok)
        #expect(bench.mapped.isEmpty)
        #expect(bench.server.state.withLock { $0.calls.count } == 4)
    }

    @Test func whatIsInNoKeptFileIsRefused() throws {
        let bench = try Bench()
        bench.attach()
        #expect(bench.ask(bench.map(0x7000_0000, 0x7000_0fff, to: 0x90_0000)) == .range)
        #expect(bench.ask(bench.map(0x7000_0000, 0x7000_0fff, to: 0xa0_0000)) == .range)
        #expect(bench.mapped.isEmpty)
    }

    /// The unmap is not done before the server has said so, and other calls are possible meanwhile.
    @Test func anUnmapWaitsForTheServersAnswer() throws {
        let bench = try Bench()
        bench.attach()
        #expect(bench.ask(bench.map(0x7000_0000, 0x7000_ffff, to: 0)) == .ok)
        bench.set { $0.permits = 0 }
        #expect(bench.core.begin(.unmap(domain: 1, first: 0, last: .max)) == .working)
        for _ in 0..<50 { #expect(bench.core.advance() == .working) }
        #expect(bench.mapped.count == 1)
        bench.set { $0.permits = nil }
        var progress = IOMMUProgress.working
        let deadline = Deadline(afterMilliseconds: 5000)
        while progress == .working, !deadline.hasPassed { progress = bench.core.advance() }
        #expect(progress == .done(.ok) && bench.mapped.isEmpty)
    }

    @Test func aDetachWaitsAndSoDoesAnAttachElsewhere() throws {
        let bench = try Bench()
        bench.attach()
        #expect(bench.ask(bench.map(0x7000_0000, 0x7000_ffff, to: 0)) == .ok)
        bench.set { $0.permits = 0 }
        #expect(bench.core.begin(.attach(endpoint: 8, domain: 2, flags: 0)) == .working)
        for _ in 0..<50 { #expect(bench.core.advance() == .working) }
        bench.set { $0.permits = nil }
        let deadline = Deadline(afterMilliseconds: 5000)
        while bench.core.advance() == .working, !deadline.hasPassed {}
        #expect(bench.mapped.isEmpty && bench.core.statistics.endpoints[0].state == .attached(domain: 2))
    }

    @Test func aRefusedPieceTakesTheOthersOfItsMappingAlong() throws {
        let bench = try Bench()
        bench.attach()
        bench.set { $0.refusedMaps = [0x7001_0000] }
        #expect(bench.ask(bench.map(0x7000_0000, 0x7001_ffff, to: 0xf_0000)) == .noMemory)
        #expect(bench.mapped.isEmpty && bench.core.statistics.mappings == 0 && bench.ends.reasons.withLock { $0.isEmpty })
        bench.set { $0.refusedMaps = [] }
        #expect(bench.ask(bench.map(0x7000_0000, 0x7001_ffff, to: 0xf_0000)) == .ok)
    }

    /// Whoever will not unmap, does not answer or is gone is asked nothing any more; requests end, and fail where they must.
    @Test(arguments: ["refuses", "hangs", "is gone"]) func aServerThatIsOfNoUseIsGivenUp(how: String) throws {
        let bench = try Bench()
        bench.attach()
        #expect(bench.ask(bench.map(0x7000_0000, 0x7000_ffff, to: 0)) == .ok)
        bench.set { state in
            switch how {
            case "refuses": state.refusesUnmaps = true
            case "hangs": state.permits = 0
            default: state.isGone = true
            }
        }
        #expect(bench.ask(.unmap(domain: 1, first: 0, last: .max)) == .ok)
        #expect(bench.back.endReason != nil && bench.ends.reasons.withLock { $0.count } == 1)
        #expect(bench.server.state.withLock { $0.hangUps } == 1)
        bench.core.lose(endpoint: 8, bench.back.endReason ?? "")
        #expect(bench.core.statistics.losses == 1 && bench.core.statistics.endpoints[0].state == .failed)
        #expect(bench.core.takeFault()?.reason == .unknown)
        #expect(bench.ask(.attach(endpoint: 8, domain: 1, flags: 0)) == .deviceError)
        bench.core.reset()
    }

    @Test func memoryThatTheGuestLosesIsLetGo() throws {
        let bench = try Bench()
        bench.attach()
        #expect(bench.ask(bench.map(0x7000_0000, 0x7000_ffff, to: 0)) == .ok)
        #expect(bench.ask(bench.map(0x7100_0000, 0x7100_ffff, to: 0x10_0000)) == .ok)
        bench.loseGuestMemory(GuestBench.high)
        #expect(Array(bench.mapped.keys) == [range(0x7000_0000, 0x7000_ffff)])
        #expect(bench.ask(.unmap(domain: 1, first: 0, last: .max)) == .ok)
        #expect(bench.mapped.isEmpty && bench.back.endReason == nil)
    }

    @Test func aResetReturnsWhenAllIsGone() throws {
        let bench = try Bench()
        bench.attach()
        for index in 0..<600 as Range<UInt64> {
            #expect(bench.ask(bench.map(0x7000_0000 + index << 20, 0x7000_ffff + index << 20, to: 0)) == .ok)
        }
        bench.core.reset()
        #expect(bench.mapped.isEmpty && bench.core.statistics.mappings == 0)
    }
}
