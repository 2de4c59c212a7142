import Foundation
import LinuxIO
import Testing

/// `unic status` as a program, and the socket that it asks at.
@Suite(.serialized) struct StatusCommandTests {
    private func object(_ text: String) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    }

    private func server(_ path: String, _ wire: String, _ more: [String] = []) throws -> ChildProcess {
        let child = try UnicProgram.start(["serve", "--socket", path, "--wire", wire] + more)
        #expect(child.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("is served at") }, "\(child.errorText)")
        return child
    }

    private func status(_ path: String) throws -> [String: Any] {
        let run = try UnicProgram.run(["status", path, "--json"])
        #expect(run.exit == .exited(0), "\(run.errors)")
        return try object(run.output)
    }

    @Test func tellsWhatWasStartedAndGoesWithIt() throws {
        let path = UnicProgram.temporaryPath("s.sock"), wire = UnicProgram.freshWire("status")
        let child = try server(path, wire, ["--model", "virtio-net", "--mac", "02:00:00:00:00:07", "--busy-poll"])
        let all = try status(path)
        for (key, value) in [
            ("model", "virtio-net"), ("mac", "02:00:00:00:00:07"), ("wire", wire), ("socket", path), ("waiting", "busy-poll"),
        ] { #expect(all[key] as? String == value, "\(all)") }
        #expect(all["pid"] as? Int == Int(child.processIdentifier))
        #expect(all["connected"] as? Bool == false && all["connections"] as? Int == 0 && all["messages"] as? Int == 0)
        #expect((all["uptime_seconds"] as? Double).map { $0 >= 0 && $0 < 60 } == true)
        let text = try UnicProgram.run(["status", path]).output
        #expect(text.contains("model: virtio-net\n") && text.contains("uptime seconds: ") && text.contains("connected: false\n"), "\(text)")
        child.send(signal: 15)
        #expect(child.wait(timeoutMilliseconds: 10_000) == .exited(143))
        #expect(PathIdentity(of: path + ".status") == nil && PathIdentity(of: path) == nil)
        let after = try UnicProgram.run(["status", path])
        #expect(after.exit == .exited(1) && after.errors.contains("nobody serves there"))
    }

    @Test func countsRiseWhileAClientWorks() throws {
        let paths = ["a", "b"].map { UnicProgram.temporaryPath("\($0).sock") }, wire = UnicProgram.freshWire("rise")
        let servers = try paths.map { try server($0, wire, ["--trap-doorbells"]) }
        let client = try UnicProgram.start([
            "pingpong", "--device", "vfio-user:\(paths[0])", "--device", "vfio-user:\(paths[1])", "--sizes", "64", "--count", "100000000",
        ])
        func writes() throws -> Int { (try status(paths[0])["messages_by_command"] as? [String: Int])?["VFIO_USER_REGION_WRITE"] ?? 0 }
        let first = try eventually(writes) { $0 > 500 }
        let second = try eventually(writes) { $0 > first + 500 }
        #expect(first > 500 && second > first)
        let all = try status(paths[0])
        #expect(all["connected"] as? Bool == true && all["connections"] as? Int == 1)
        #expect((all["maps"] as? Int).map { $0 > 0 } == true && (all["mapped_bytes"] as? Int).map { $0 > 0 } == true)
        let commands = try #require(all["messages_by_command"] as? [String: Int])
        for name in ["VERSION", "DMA_MAP", "DEVICE_GET_INFO", "DEVICE_GET_REGION_INFO", "REGION_READ"] {
            #expect((commands["VFIO_USER_" + name] ?? 0) > 0, "\(commands)")
        }
        client.send(signal: 2)
        #expect(client.wait(timeoutMilliseconds: 20_000) == .exited(130), "\(client.errorText)")
        #expect(try eventually({ try status(paths[0])["maps"] as? Int ?? -1 }) { $0 == 0 } == 0)
        for server in servers {
            server.send(signal: 15)
            #expect(server.wait(timeoutMilliseconds: 10_000) == .exited(143))
        }
    }

    private func eventually(_ value: () throws -> Int, _ condition: (Int) -> Bool) throws -> Int {
        let deadline = Deadline(afterMilliseconds: 20_000)
        while true {
            let now = try value()
            if condition(now) || deadline.hasPassed { return now }
            sleep(milliseconds: 20)
        }
    }

    @Test func aFaultIsToldWithItsReason() throws {
        let path = UnicProgram.temporaryPath("f.sock")
        let child = try server(path, UnicProgram.freshWire("fault"))
        let rude = try UnixSocket.connect(to: path)
        _ = try rude.send([UInt8](repeating: 0xff, count: 64))
        #expect(try eventually({ try status(path)["broken_connections"] as? Int ?? 0 }) { $0 == 1 } == 1)
        let all = try status(path)
        #expect(all["faults"] as? Int == 1)
        let fault = try #require((all["last_faults"] as? [[String: Any]])?.first)
        #expect((fault["reason"] as? String)?.isEmpty == false && fault["seconds_ago"] as? Double != nil)
        _ = consume rude
        child.send(signal: 15)
        _ = child.wait(timeoutMilliseconds: 10_000)
    }

    @Test func manyIdleAndKilledClientsAreNoHarm() throws {
        let path = UnicProgram.temporaryPath("m.sock")
        let child = try server(path, UnicProgram.freshWire("many"))
        let idler = try UnixSocket.connect(to: path + ".status")
        let many = try (0..<100).map { _ in try UnicProgram.start(["status", path, "--json"]) }
        for one in many.prefix(10) { one.send(signal: 9) }
        for one in many.dropFirst(10) {
            #expect(one.wait(timeoutMilliseconds: 60_000) == .exited(0), "\(one.errorText)")
            #expect(try object(one.outputText)["model"] as? String == "e1000e")
        }
        _ = consume idler
        #expect(try status(path)["connections"] as? Int == 0)
        child.send(signal: 15)
        #expect(child.wait(timeoutMilliseconds: 10_000) == .exited(143))
    }

    @Test func watchingGoesOnUntilItIsInterrupted() throws {
        let path = UnicProgram.temporaryPath("w.sock")
        let child = try server(path, UnicProgram.freshWire("watch"))
        let watcher = try UnicProgram.start(["status", path, "--json", "--watch", "0.05"])
        #expect(watcher.readOutput(timeoutMilliseconds: 20_000) { $0.standardOutput.filter { $0 == 10 }.count >= 3 })
        watcher.send(signal: 2)
        #expect(watcher.wait(timeoutMilliseconds: 10_000) == .exited(0))
        child.send(signal: 15)
        _ = child.wait(timeoutMilliseconds: 10_000)
    }

    /// Answers of a server that means ill.
    static let badAnswers: [(bytes: [UInt8], words: String)] = [
        ([], "no status"), (Array("hello".utf8), "no status"), (Array("[1]".utf8), "no status"), (Array("{\"model\":1}".utf8), "no status"),
        ([UInt8](repeating: UInt8(ascii: "["), count: 60_000), "no status"), ([UInt8](repeating: 0x20, count: 70_000), "longer than"),
    ]

    @Test(arguments: badAnswers.indices) func whatIsNoStatusIsRefused(_ index: Int) throws {
        let run = try answer(Self.badAnswers[index].bytes)
        #expect(run.exit == .exited(1) && run.errors.contains(Self.badAnswers[index].words), "\(run.errors)")
    }

    @Test func nothingOfAStatusSteersTheTerminal() throws {
        let evil =
            "{\"model\":\"\\u001b[2J\\u009b2J\\u007f\",\"messages_by_command\":{\"\\u001b[1m\":1},\"x\\ny\":[{\"a\\r\":\"\\u001b\"}]}"
        let run = try answer(Array(evil.utf8))
        #expect(run.exit == .exited(0) && run.output.contains("model: "))
        #expect(run.output.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
    }

    /// What `unic status` makes of these bytes.
    private func answer(_ bytes: [UInt8]) throws -> (exit: ChildProcess.Exit?, output: String, errors: String) {
        let path = UnicProgram.temporaryPath("evil.sock")
        let listener = try UnixSocket.listen(at: path + ".status", backlog: 1)
        defer { PathIdentity(of: path + ".status")?.unlink(path + ".status") }
        let child = try UnicProgram.start(["status", path])
        _ = waitForReadable([listener.number], timeoutMilliseconds: 20_000)
        if let client = try listener.accept(), !bytes.isEmpty {
            var done = 0
            while done < bytes.count, let count = try? client.send(bytes, from: done) { done += count }
        }
        let exit = child.wait(timeoutMilliseconds: 20_000)
        return (exit, child.outputText, child.errorText)
    }
}
