import Foundation
import LinuxIO
import Testing

/// A server that is killed under traffic, and started again.
@Suite(.serialized) struct RestartCommandTests {
    private struct Served {
        let wire: String
        let model: [String]
        let paths: [String]
        var children: [ChildProcess] = []

        init(_ model: [String]) throws {
            wire = UnicProgram.freshWire("again")
            self.model = model
            paths = ["a", "b"].map { UnicProgram.temporaryPath("\($0).sock") }
            for end in 0..<2 { children.append(try start(end)) }
        }

        func start(_ end: Int) throws -> ChildProcess {
            let child = try UnicProgram.start(["serve", "--socket", paths[end], "--wire", wire] + model)
            #expect(child.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("is served at") }, "\(child.errorText)")
            return child
        }

        mutating func kill(_ end: Int) {
            children[end].send(signal: 9)
            _ = children[end].wait(timeoutMilliseconds: 10_000)
        }

        var urls: [String] { paths.map { "vfio-user:\($0)" } }

        func end() {
            for child in children {
                child.send(signal: 15)
                #expect(child.wait(timeoutMilliseconds: 10_000) == .exited(143), "\(child.errorText)")
            }
        }
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    private func openDescriptors(of child: ChildProcess) -> Int {
        (try? directoryEntryNames("/proc/\(child.processIdentifier)/fd").count) ?? -1
    }

    private func freeHugepages() -> String? {
        (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8))?.split(separator: "\n").first { $0.hasPrefix("HugePages_Free") }
            .map(String.init)
    }

    /// What `unic top` shows of the ports of a process.
    private func received(_ child: ChildProcess) throws -> [Int] {
        let all = try object(try UnicProgram.run(["top", "--samples", "1", "--json"]).output)
        let ports = try #require(all["ports"] as? [[String: Any]]).filter { $0["pid"] as? Int == Int(child.processIdentifier) }
        return ports.compactMap { (($0["queues"] as? [[String: Any]])?.first?["received_frames"]) as? Int }
    }

    @Test(arguments: [["--model", "e1000e"], ["--model", "virtio-net"], ["--model", "virtio-net", "--packed"]], [0, 1])
    func pingPongGoesOnWithAServerThatCameBack(model: [String], victim: Int) throws {
        try goOn(model, victim, [])
    }

    @Test(arguments: [["--model", "e1000e"], ["--model", "virtio-net"], ["--model", "igbvf"]], [0, 1])
    func sleepersGoOnWithAServerThatCameBack(model: [String], victim: Int) throws {
        try goOn(model, victim, ["--interrupts"])
    }

    /// Kills the server of the sender (0) or of the receiver (1), twice.
    private func goOn(_ model: [String], _ victim: Int, _ more: [String]) throws {
        let hugepages = freeHugepages()
        var served = try Served(model)
        let client = try UnicProgram.start(
            [
                "pingpong", "--device", served.urls[0], "--device", served.urls[1], "--sizes", "256", "--count", "100000000", "--warmup",
                "0",
                "--timeout", "300", "--json",
            ] + more)
        _ = client.readOutput(timeoutMilliseconds: 1500) { _ in false }
        let descriptors = openDescriptors(of: client)
        for round in 1...2 {
            served.kill(victim)
            _ = client.readOutput(timeoutMilliseconds: 400) { _ in false }
            served.children[victim] = try served.start(victim)
            let back = MonotonicClock.nanoseconds()
            let isBack = client.readOutput(timeoutMilliseconds: 6000) {
                $0.errorText.split(separator: "\n").count { $0.contains("is back") } == round
            }
            #expect(isBack, "\(client.errorText)")
            #expect(MonotonicClock.nanoseconds() - back < 1_000_000_000)
            let before = try received(client)
            let deadline = Deadline(afterMilliseconds: 5000)
            var after = before
            while !deadline.hasPassed, !zip(before, after).allSatisfy({ $0 < $1 }) { after = try received(client) }
            #expect(before.count == 2 && zip(before, after).allSatisfy { $0 < $1 }, "\(before) \(after) \(client.errorText)")
        }
        #expect(openDescriptors(of: client) == descriptors)
        client.send(signal: 2)
        #expect(client.wait(timeoutMilliseconds: 10_000) == .exited(130), "\(client.errorText)")
        let all = try object(client.outputText)
        #expect(all["corrupt"] as? Int == 0 && all["error"] is NSNull, "\(all)")
        #expect((all["lost"] as? Int ?? 0) >= 1 && (all["lost"] as? Int ?? 99) < 20, "\(all)")
        let devices = try #require(all["devices"] as? [[String: Any]])
        for device in devices {
            let driver = try #require(device["driver"] as? [String: Int])
            #expect(driver["recoveries"] == (device["url"] as? String == served.urls[victim] ? 2 : 0), "\(devices)")
        }
        served.end()
        let deadline = Deadline(afterMilliseconds: 5000)
        while freeHugepages() != hugepages, !deadline.hasPassed { sleep(milliseconds: 10) }
        #expect(freeHugepages() == hugepages)
    }

    @Test func whoDoesNotWaitEndsWithinASecond() throws {
        var served = try Served(["--model", "e1000e"])
        let client = try UnicProgram.start([
            "pingpong", "--device", served.urls[0], "--device", served.urls[1], "--sizes", "64", "--count", "100000000", "--reconnect",
            "0.2",
        ])
        _ = client.readOutput(timeoutMilliseconds: 2000) { _ in false }
        served.kill(0)
        let killed = MonotonicClock.nanoseconds()
        #expect(client.wait(timeoutMilliseconds: 10_000) == .exited(1))
        #expect(MonotonicClock.nanoseconds() - killed < 1_500_000_000)
        #expect(client.errorText.contains("Waiting for it") && client.errorText.contains("gone"), "\(client.errorText)")
        served.children[0] = try served.start(0)
        served.end()
    }

    /// Two threads each: generator and counter, whose servers are killed in turn.
    @Test func generatorAndCounterGoOn() throws {
        var served = try Served(["--model", "e1000e"])
        let counter = try UnicProgram.start(["count", "--device", served.urls[1], "--queues", "2", "--seconds", "60", "--json"])
        #expect(counter.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("counting on") }, "\(counter.errorText)")
        let generator = try UnicProgram.start([
            "generate", "--device", served.urls[0], "--queues", "2", "--flows", "8", "--rate", "2000", "--seconds", "60", "--json",
        ])
        _ = generator.readOutput(timeoutMilliseconds: 1500) { _ in false }
        for (victim, child) in [(0, generator), (1, counter)] {
            served.kill(victim)
            served.children[victim] = try served.start(victim)
            #expect(child.readOutput(timeoutMilliseconds: 6000) { $0.errorText.contains("is back") }, "\(child.errorText)")
        }
        let before = try received(counter)
        let deadline = Deadline(afterMilliseconds: 5000)
        while try received(counter) == before, !deadline.hasPassed { sleep(milliseconds: 20) }
        #expect(try received(counter) != before)
        for child in [generator, counter] {
            child.send(signal: 2)
            #expect(child.wait(timeoutMilliseconds: 10_000) == .exited(130), "\(child.errorText)")
            let all = try object(child.outputText)
            #expect(all["recoveries"] as? Int == 1 && all["error"] is NSNull, "\(all)")
        }
        served.end()
    }
}
