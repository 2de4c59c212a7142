import LinuxIO
import Testing

struct ChildProcessTests {
    @Test func outputErrorsAndExitCodeAreCaptured() throws {
        let child = try ChildProcess("sh", arguments: ["-c", "echo out; echo err >&2; exit 7"])
        #expect(child.wait(timeoutMilliseconds: 10_000) == .exited(7))
        #expect(child.outputText == "out\n" && child.errorText == "err\n")
    }

    @Test func signalThatKilledItIsTold() throws {
        let child = try ChildProcess("sleep", arguments: ["100"])
        #expect(child.wait(timeoutMilliseconds: 50) == nil)
        child.send(signal: 15)
        #expect(child.wait(timeoutMilliseconds: 10_000) == .signalled(15))
    }

    @Test func ownerThatGoesKillsIt() throws {
        var child: ChildProcess? = try ChildProcess("sleep", arguments: ["100"])
        let number = try #require(child?.processIdentifier)
        child = nil
        #expect((try? readSmallFile("/proc/\(number)/stat")) == nil)
    }

    @Test func programThatIsNotThereIsAnError() {
        #expect(throws: SystemCallError.self) { try ChildProcess("/nonexistent/program", arguments: []) }
    }

    @Test func environmentIsReplacedWhenOneIsGiven() throws {
        let child = try ChildProcess("/usr/bin/env", arguments: [], environment: ["ONLY": "this"])
        child.wait(timeoutMilliseconds: 10_000)
        #expect(child.outputText == "ONLY=this\n")
    }

    @Test func moreOutputThanASocketHoldsArrivesWhole() throws {
        let child = try ChildProcess("head", arguments: ["-c", "3000000", "/dev/zero"])
        #expect(child.wait(timeoutMilliseconds: 20_000) == .exited(0))
        #expect(child.standardOutput.count == 3_000_000)
    }

    @Test func waitingForOutputEndsWhenItIsThere() throws {
        let child = try ChildProcess("sh", arguments: ["-c", "echo ready; exec sleep 100"])
        #expect(child.readOutput(timeoutMilliseconds: 10_000) { $0.outputText.contains("ready") })
        #expect(child.exit == nil)
    }
}

struct WorkerThreadTests {
    @Test func valueComesBackThroughJoin() throws {
        let thread = try WorkerThread { (1...10).reduce(0, +) }
        #expect(thread.join() == 55)
    }

    @Test func raisedFlagIsSeenByAnotherThread() throws {
        let flag = StopFlag()
        let thread = try WorkerThread { () -> Int32 in
            while !flag.isRaised { sleep(milliseconds: 1) }
            return flag.signal
        }
        flag.raise(signal: 15)
        #expect(thread.join() == 15)
    }
}
