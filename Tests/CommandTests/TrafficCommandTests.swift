import Foundation
import LinuxIO
import Testing

/// `unic generate`, `count`, `forward` and `top` as programs.
@Suite(.serialized) struct TrafficCommandTests {
    private func object(_ text: String) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    /// A counter that is ready.
    private func counter(_ wire: String, _ more: [String] = []) throws -> ChildProcess {
        let child = try UnicProgram.start(["count", "--device", "soft:\(wire)", "--seconds", "60", "--json"] + more)
        #expect(child.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("counting on") }, "\(child.errorText)")
        return child
    }

    @Test func whatIsGeneratedSlowlyIsCountedWhole() throws {
        let wire = UnicProgram.freshWire("traffic")
        let receiver = try counter(wire, ["--queues", "2", "--count", "1000", "--idle", "5"])
        // So slowly that the wire and the rings hold a second of it while the receiver is off its CPU.
        let sender = try UnicProgram.run([
            "generate", "--device", "soft:\(wire)", "--flows", "8", "--rate", "500", "--count", "1000", "--size", "200", "--json",
        ])
        #expect(sender.exit == .exited(0), "\(sender.errors)")
        #expect(try object(sender.output)["error"] is NSNull)
        // Both queues have their own limit, so that silence ends it.
        #expect(receiver.wait(timeoutMilliseconds: 30_000) == .exited(0), "\(receiver.errorText)")
        let counted = try object(receiver.outputText)
        let total = try #require(counted["total"] as? [String: Int])
        #expect(total["frames"] == 1000 && total["missing"] == 0, "\(total)")
        #expect(total["late"] == 0 && total["foreign"] == 0, "\(total)")
        let workers = try #require(counted["workers"] as? [[String: Int]])
        #expect(workers.count == 2 && workers.allSatisfy { ($0["frames"] ?? 0) > 0 }, "\(workers)")
    }

    /// Two threads, a queue each, on one device of another process: doorbells mapped, or each one a message of the one
    /// connection that both threads use.
    @Test(arguments: [[], ["--trap-doorbells"]], [[], ["--interrupts"], ["--spin", "100"]])
    func twoThreadsShareADeviceOfAnotherProcess(serving: [String], waiting: [String]) throws {
        let wire = UnicProgram.freshWire("threads")
        let path = UnicProgram.temporaryPath("q.sock")
        let server = try UnicProgram.start(["serve", "--socket", path, "--wire", wire] + serving)
        #expect(server.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("is served at") }, "\(server.errorText)")
        let receiver = try UnicProgram.start(
            ["count", "--device", "vfio-user:\(path)", "--queues", "2", "--seconds", "60", "--idle", "2", "--json"] + waiting)
        #expect(receiver.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("counting on") }, "\(receiver.errorText)")
        let sender = try UnicProgram.run(["generate", "--device", "soft:\(wire)", "--flows", "8", "--rate", "1000", "--count", "1000"])
        #expect(sender.exit == .exited(0), "\(sender.errors)")
        #expect(receiver.wait(timeoutMilliseconds: 30_000) == .exited(0), "\(receiver.errorText)")
        let workers = try #require(try object(receiver.outputText)["workers"] as? [[String: Int]])
        #expect(workers.count == 2 && workers.allSatisfy { ($0["frames"] ?? 0) > 100 && $0["late"] == 0 }, "\(workers)")
        server.send(signal: 15)
        _ = server.wait(timeoutMilliseconds: 10_000)
    }

    @Test func aForwarderJoinsTwoWires() throws {
        let wires = [UnicProgram.freshWire("left"), UnicProgram.freshWire("right")]
        let forwarder = try UnicProgram.start(["forward", "--device", "soft:\(wires[0])", "--device", "soft:\(wires[1])", "--json"])
        #expect(forwarder.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("forwarding between") }, "\(forwarder.errorText)")
        let server = try UnicProgram.start(["pingpong", "--server", "--device", "soft:\(wires[1])", "--wait", "30"])
        let client = try UnicProgram.run([
            "pingpong", "--client", "--device", "soft:\(wires[0])", "--sizes", "64,1518", "--count", "200", "--warmup", "10", "--json",
        ])
        #expect(client.exit == .exited(0), "\(client.errors)")
        #expect(try object(client.output)["corrupt"] as? Int == 0)
        server.send(signal: 15)
        forwarder.send(signal: 15)
        #expect(forwarder.wait(timeoutMilliseconds: 10_000) == .exited(143))
        let total = try #require(try object(forwarder.outputText)["total"] as? [String: Int])
        #expect((total["frames"] ?? 0) >= 800, "\(total)")
        _ = server.wait(timeoutMilliseconds: 10_000)
    }

    @Test func topShowsARunningPortAndForgetsOneThatWasKilled() throws {
        let wire = UnicProgram.freshWire("top")
        let receiver = try counter(wire)
        func seen() throws -> [[String: Any]] {
            let run = try UnicProgram.run(["top", "--samples", "1", "--json"])
            #expect(run.exit == .exited(0))
            return try #require(object(run.output)["ports"] as? [[String: Any]]).filter { $0["device"] as? String == "soft:\(wire)" }
        }
        let port = try #require(try seen().first)
        #expect(port["pid"] as? Int == Int(receiver.processIdentifier))
        #expect((port["queues"] as? [Any])?.count == 1)
        let text = try UnicProgram.run(["top", "--samples", "2", "--interval", "0.05"]).output
        #expect(text.contains("soft:\(wire)"))
        receiver.send(signal: 9)
        _ = receiver.wait(timeoutMilliseconds: 10_000)
        #expect(try seen().isEmpty)
    }
}
