import LinuxIO
import Testing

@testable import VfioUser

@Suite struct StatusSocketTests {
    private static let short = Array("{\"a\":1}\n".utf8)

    @Test func whoeverConnectsGetsTheDocumentAndTheEnd() throws {
        let path = RunningServer.freshPath()
        let status = try StatusSocket(beside: path) { Self.short }
        for _ in 0..<100 { #expect(try StatusReading.read(beside: path) == Self.short) }
        _ = consume status
    }

    @Test func theFileGoesWithIt() throws {
        let path = RunningServer.freshPath()
        do {
            let status = try StatusSocket(beside: path) { Self.short }
            #expect(PathIdentity(of: path + ".status")?.isSocket == true)
            _ = consume status
        }
        #expect(PathIdentity(of: path + ".status") == nil)
    }

    @Test func aDeadOnesPathIsTakenOverAndALiveOnesIsNot() throws {
        let path = RunningServer.freshPath()
        do { _ = try UnixSocket.listen(at: path + ".status", backlog: 1) }
        let status = try StatusSocket(beside: path) { Self.short }
        #expect(throws: ServerError.self) { _ = try StatusSocket(beside: path) { [] } }
        #expect(try StatusReading.read(beside: path) == Self.short)
        _ = consume status
    }

    @Test func fileThatIsNoSocketIsLeftAlone() throws {
        let path = RunningServer.freshPath()
        _ = try OwnedDescriptor.open(path + ".status", flags: 0o101, mode: 0o600)
        #expect(throws: ServerError.self) { _ = try StatusSocket(beside: path) { [] } }
        let found = try #require(PathIdentity(of: path + ".status"))
        #expect(!found.isSocket)
        found.unlink(path + ".status")
    }

    @Test func aHundredClientsAtOnceAreAllAnswered() throws {
        let path = RunningServer.freshPath()
        let status = try StatusSocket(beside: path) { Self.short }
        let threads = try (0..<100).map { _ in ReaderThread(try WorkerThread { try? StatusReading.read(beside: path) }) }
        for thread in threads { #expect(thread.join() == Self.short) }
        _ = consume status
    }

    /// The document is larger than what a socket keeps.
    @Test func aClientThatNeverReadsIsLeftAfterASecond() throws {
        let path = RunningServer.freshPath()
        let status = try StatusSocket(beside: path) { [UInt8](repeating: 0x20, count: 4 << 20) }
        let idler = try UnixSocket.connect(to: path + ".status")
        let start = MonotonicClock.nanoseconds()
        // The next one is answered then, too long an answer though it is.
        #expect(throws: StatusError.self) { _ = try StatusReading.read(beside: path, timeoutMilliseconds: 20_000) }
        let waited = MonotonicClock.nanoseconds() - start
        #expect(waited > 500_000_000 && waited < 10_000_000_000)
        _ = consume idler
        _ = consume status
    }

    @Test func clientsThatHangUpAndSpeakAreNoHarm() throws {
        let path = RunningServer.freshPath()
        let status = try StatusSocket(beside: path) { [UInt8](repeating: 0x20, count: 1 << 20) }
        for round in 0..<50 {
            let client = try connect(path)
            if round % 2 == 0 { _ = try? client.send([1, 2, 3]) }
        }
        #expect(throws: StatusError.self) { _ = try StatusReading.read(beside: path) }
        _ = consume status
    }

    @Test func itEndsWhileAClientDoesNotRead() throws {
        let path = RunningServer.freshPath()
        let idler: UnixSocket
        let start: UInt64
        do {
            let status = try StatusSocket(beside: path) { [UInt8](repeating: 0x20, count: 4 << 20) }
            idler = try UnixSocket.connect(to: path + ".status")
            sleep(milliseconds: 100)
            start = MonotonicClock.nanoseconds()
            _ = consume status
        }
        #expect(MonotonicClock.nanoseconds() - start < 500_000_000)
        _ = consume idler
    }

    private func connect(_ path: String) throws -> UnixSocket {
        for _ in 0..<500 {
            if let socket = try? UnixSocket.connect(to: path + ".status") { return socket }
            sleep(milliseconds: 5)
        }
        return try UnixSocket.connect(to: path + ".status")
    }
}

@Suite struct StatusReadingTests {
    @Test func nobodyThereIsExplained() {
        let nobody = #expect(throws: StatusError.self) { _ = try StatusReading.read(beside: RunningServer.freshPath()) }
        #expect("\(nobody.map { "\($0)" } ?? "")".contains("nobody serves there"))
    }

    @Test func aDeadServerIsExplained() throws {
        let path = RunningServer.freshPath()
        do { _ = try UnixSocket.listen(at: path + ".status", backlog: 1) }
        let dead = #expect(throws: StatusError.self) { _ = try StatusReading.read(beside: path) }
        #expect("\(dead.map { "\($0)" } ?? "")".contains("has died"))
        PathIdentity(of: path + ".status")?.unlink(path + ".status")
    }

    @Test func silenceEndsWithTheDeadline() throws {
        let path = RunningServer.freshPath()
        let listener = try UnixSocket.listen(at: path + ".status", backlog: 1)
        let start = MonotonicClock.nanoseconds()
        #expect(throws: StatusError.self) { _ = try StatusReading.read(beside: path, timeoutMilliseconds: 200) }
        #expect(MonotonicClock.nanoseconds() - start < 5_000_000_000)
        _ = consume listener
        PathIdentity(of: path + ".status")?.unlink(path + ".status")
    }
}

@Suite struct RecentFaultsTests {
    @Test func theLastOnesAreKeptAndAllAreCounted() {
        var statistics = ServerStatistics()
        for index in 0..<100 { statistics.lastFault = "fault \(index)" }
        #expect(statistics.faults.count == 100)
        #expect(statistics.faults.last.map(\.reason) == (92..<100).map { "fault \($0)" })
    }

    @Test func longReasonsAreCut() {
        var statistics = ServerStatistics()
        statistics.lastFault = String(repeating: "x", count: 100_000)
        #expect(statistics.faults.last[0].reason.count == RecentFaults.longestReason)
    }
}

/// A thread in an array.
private final class ReaderThread {
    private var thread: WorkerThread<[UInt8]?>?
    init(_ thread: consuming WorkerThread<[UInt8]?>) { self.thread = consume thread }
    func join() -> [UInt8]? { thread.take()?.join() ?? nil }
}
