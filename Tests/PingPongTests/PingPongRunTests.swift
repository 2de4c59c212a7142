import DeviceMemory
import LinuxIO
import NicDriver
import PingPong
import Testing

/// Whole runs over a cable in memory.
@Suite(.serialized) struct PingPongRunTests {
    private func options(_ change: (inout PingPongOptions) -> Void = { _ in }) -> PingPongOptions {
        var options = PingPongOptions()
        options.sizes = [8, 1518]
        options.count = 200
        options.warmup = 10
        options.seed = 42
        change(&options)
        return options
    }

    private func run(faults: FakeCable.Faults = .init(), _ options: PingPongOptions, stop: StopFlag = StopFlag()) -> PingPongReport {
        let cable = FakeCable(faults)
        return PingPong.run(
            options, client: { () throws(PortError) in try FakePort(on: cable, end: 0) },
            server: { () throws(PortError) in try FakePort(on: cable, end: 1) },
            stop: stop)
    }

    @Test func goodCableLosesNothingAndCountsEveryRoundTrip() throws {
        let report = run(options())
        #expect(report.failure == nil)
        #expect(report.results.map(\.size) == [8, 1518])
        #expect(report.results.map(\.count) == [200, 200] && report.lostFrames == 0 && report.corruptFrames == 0)
        #expect(report.served?.pings == 420)
        let half = try #require(report.results[1].halfRoundTrip)
        #expect(half.min > 0 && half.min <= half.median && half.median <= half.p99 && half.p99 <= half.p999 && half.p999 <= half.max)
        #expect(report.ports.map(\.role) == [.client, .server])
        #expect(report.ports[1].counters.sentFrames == report.ports[0].counters.receivedFrames)
        #expect(report.nanosecondsToFirstFrame != nil)
    }

    @Test func droppedFramesAreCountedAsLost() {
        let report = run(faults: .init(dropsEvery: 37), options { $0.pingTimeoutMilliseconds = 20 })
        #expect(report.failure == nil)
        #expect(report.lostFrames > 0 && report.lostFrames < 30)
        #expect(report.results.map(\.count) == [200, 200])
        #expect(report.corruptFrames == 0)
    }

    @Test func changedPayloadIsCountedAsCorruptOnTheSideThatSawIt() {
        let report = run(faults: .init(corruptsEvery: 50), options())
        #expect(report.failure == nil && report.lostFrames == 0)
        #expect(report.results.reduce(0) { $0 + $1.corrupt } > 0 && report.corruptFrames > 4)
    }

    @Test func duplicatesAndForeignFramesArePassedOver() {
        let report = run(faults: .init(duplicatesEvery: 3, addsNoise: true), options())
        #expect(report.failure == nil && report.lostFrames == 0 && report.corruptFrames == 0)
    }

    @Test func silentServerIsAnErrorWithPartialResults() {
        let report = run(faults: .init(silentAfter: 300), options { $0.pingTimeoutMilliseconds = 20 })
        guard case .serverSilent(let losses) = report.failure else { return #expect(Bool(false), "\(String(describing: report.failure))") }
        #expect(losses == 5)
        #expect(report.results.count == 1 && report.results[0].count > 100)
    }

    @Test func deviceThatIsGoneIsAnErrorWithinASecond() {
        let start = MonotonicClock.nanoseconds()
        let report = run(faults: .init(silentAfter: 300, goneAfter: 300), options { $0.pingTimeoutMilliseconds = 10_000 })
        guard case .port(.device(.gone)) = report.failure else { return #expect(Bool(false), "\(String(describing: report.failure))") }
        #expect(MonotonicClock.nanoseconds() - start < 1_000_000_000)
    }

    @Test func clientWithoutAServerEndsAfterItsTime() {
        let cable = FakeCable()
        let report = PingPong.run(
            options {
                $0.role = .client
                $0.helloTimeoutMilliseconds = 150
            }, client: { () throws(PortError) in try FakePort(on: cable, end: 0) },
            server: { () throws(PortError) in try FakePort(on: cable, end: 1) })
        guard case .noServer = report.failure else { return #expect(Bool(false), "\(String(describing: report.failure))") }
    }

    @Test func serverWithoutAClientEndsAfterItsTime() {
        let cable = FakeCable()
        let report = PingPong.run(
            options {
                $0.role = .server
                $0.idleTimeoutMilliseconds = 150
            }, client: { () throws(PortError) in try FakePort(on: cable, end: 0) },
            server: { () throws(PortError) in try FakePort(on: cable, end: 1) })
        guard case .noClient = report.failure else { return #expect(Bool(false), "\(String(describing: report.failure))") }
    }

    @Test func portThatCannotBeOpenedEndsTheOtherSideToo() {
        let cable = FakeCable()
        let report = PingPong.run(
            options(), client: { () throws(PortError) in try FakePort(on: cable, end: 0) },
            server: { () throws(PortError) in throw .badOption("no such port") })
        guard case .port(.badOption(let text)) = report.failure else {
            return #expect(Bool(false), "\(String(describing: report.failure))")
        }
        #expect(text == "no such port")
    }

    @Test func frameBeyondThePortsMaximumIsRefusedAtStart() {
        let cable = FakeCable()
        let report = PingPong.run(
            options { $0.sizes = [9018] }, client: { () throws(PortError) in try FakePort(on: cable, end: 0, maximumFrameByteCount: 1514) },
            server: { () throws(PortError) in try FakePort(on: cable, end: 1) })
        guard case .badOptions = report.failure else { return #expect(Bool(false), "\(String(describing: report.failure))") }
    }

    @Test func raisedFlagEndsTheRunWithWhatThereIs() throws {
        let stop = StopFlag()
        let stopper = try WorkerThread {
            sleep(milliseconds: 100)
            stop.raise(signal: 2)
        }
        let report = run(faults: .init(), options { $0.count = 1_000_000_000 }, stop: stop)
        stopper.join()
        #expect(report.wasInterrupted && report.failure == nil)
        #expect(report.results.count == 1 && report.results[0].count > 0)
    }

    @Test func captureKeepsPingsAndPongsInOrderUpToItsLimit() throws {
        let report = run(
            faults: .init(),
            options {
                $0.captureByteCount = 4096; $0.sizes = [64]; $0.warmup = 0
            })
        let capture = try #require(report.capture)
        #expect(capture.frames.count == 4096 / 60 && capture.omittedFrames == 400 - capture.frames.count)
        #expect(capture.bytes(of: capture.frames[0])[17] == 3 && capture.bytes(of: capture.frames[1])[17] == 4)
        #expect(zip(capture.frames, capture.frames.dropFirst()).allSatisfy { $0.nanoseconds <= $1.nanoseconds })
    }

    @Test(arguments: [-1, 0, 9019]) func impossibleSizesAreRefused(_ size: Int) {
        #expect(options { $0.sizes = [size] }.problem?.contains("\(size)") == true)
    }

    @Test func otherImpossibleOptionsAreRefused() {
        #expect(options { $0.sizes = [] }.problem != nil)
        #expect(options { $0.count = 0 }.problem != nil)
        #expect(options { $0.warmup = -1 }.problem != nil)
        #expect(options { $0.cpus = [0, 0, 0] }.problem != nil)
        #expect(options { $0.cpus = [1023] }.problem?.contains("1023") == true)
        #expect(options().problem == nil)
    }
}
