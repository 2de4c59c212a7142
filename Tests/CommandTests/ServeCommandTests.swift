import Foundation
import LinuxIO
import Testing

/// `unic serve` and `unic hugepages` as programs.
@Suite(.serialized) struct ServeCommandTests {
    /// Two served models on one wire, ready for clients.
    private func servers(_ options: [String] = []) throws -> (first: ChildProcess, second: ChildProcess, urls: [String]) {
        let wire = UnicProgram.freshWire("served")
        let paths = ["a", "b"].map { UnicProgram.temporaryPath("\($0).sock") }
        let children = try paths.map { try UnicProgram.start(["serve", "--model", "e1000e", "--socket", $0, "--wire", wire] + options) }
        for child in children {
            #expect(child.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("is served at") }, "\(child.errorText)")
        }
        return (children[0], children[1], paths.map { "vfio-user:\($0)" })
    }

    @Test(arguments: [[], ["--busy-poll"], ["--trap-doorbells"]]) func pingPongOverThreeProcessesLosesNothing(_ options: [String]) throws {
        try pingPong(serving: options, ["--sizes", "64,9018", "--count", "50", "--warmup", "5"])
    }

    @Test func tenThousandRoundTripsOfEachSizeOverThreeProcessesLoseNothing() throws {
        try pingPong(serving: [], ["--sizes", "64,1518,9018", "--count", "10000", "--interrupts"])
    }

    /// Every payload is compared by both ends, and what the drivers counted is what the models counted.
    private func pingPong(serving options: [String], _ more: [String]) throws {
        let (first, second, urls) = try servers(options)
        let run = try UnicProgram.run(["pingpong", "--device", urls[0], "--device", urls[1], "--json"] + more)
        #expect(run.exit == .exited(0), "\(run.errors)")
        let all = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(all["lost"] as? Int == 0 && all["corrupt"] as? Int == 0)
        let count = Int(more[try #require(more.firstIndex(of: "--count")) + 1])
        for result in try #require(all["results"] as? [[String: Any]]) { #expect(result["count"] as? Int == count) }
        for device in try #require(all["devices"] as? [[String: Any]]) {
            let driver = try #require(device["driver"] as? [String: Int]), model = try #require(device["device"] as? [String: Int])
            #expect(driver["sent"] == model["sent"] && driver["received"] == model["received"])
        }
        for child in [first, second] {
            child.send(signal: 15)
            #expect(child.wait(timeoutMilliseconds: 10_000) == .exited(143), "\(child.errorText)")
            #expect(child.outputText.contains("connections: 1"))
        }
    }

    @Test func aKilledServerEndsThePingPongWithinASecond() throws {
        let (first, second, urls) = try servers()
        let client = try UnicProgram.start([
            "pingpong", "--device", urls[0], "--device", urls[1], "--sizes", "64", "--count", "100000000", "--json", "--reconnect", "0",
        ])
        _ = client.readOutput(timeoutMilliseconds: 2500) { _ in false }
        let killedAt = MonotonicClock.nanoseconds()
        first.send(signal: 9)
        #expect(client.wait(timeoutMilliseconds: 10_000) == .exited(1))
        #expect(MonotonicClock.nanoseconds() - killedAt < 1_000_000_000)
        #expect(client.errorText.contains("gone"), "\(client.errorText)")
        second.send(signal: 15)
        #expect(second.wait(timeoutMilliseconds: 10_000) == .exited(143))
    }

    @Test func aSocketThatCannotBeMadeIsToldWithItsPath() throws {
        let run = try UnicProgram.run(["serve", "--socket", "/nonexistent/folder/x.sock", "--wire", UnicProgram.freshWire("none")])
        #expect(run.exit == .exited(1) && run.errors.contains("/nonexistent/folder/x.sock"))
    }
}

struct HugepagesCommandTests {
    @Test func reportIsTextOrOneObject() throws {
        #expect(try UnicProgram.run(["hugepages"]).exit == .exited(0))
        let run = try UnicProgram.run(["hugepages", "--json"])
        let all = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(all["sizes"] as? [Any] != nil && all.keys.contains("leftover"))
    }
}
