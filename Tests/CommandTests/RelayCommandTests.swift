import Foundation
import LinuxIO
import Testing

/// `unic relay serve` as a program, and who looks into it: `unic status`, `unic trace`.
@Suite(.serialized) struct RelayCommandTests {
    private func relay(_ directory: String, _ more: [String] = []) throws -> ChildProcess {
        let child = try UnicProgram.start(
            ["relay", "serve", "--device", "soft:\(UnicProgram.freshWire("relay"))", "--directory", directory] + more)
        #expect(child.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("are served in") }, "\(child.errorText)")
        return child
    }

    private func end(_ child: ChildProcess) {
        child.send(signal: 15)
        #expect(child.wait(timeoutMilliseconds: 10_000) == .exited(143), "\(child.errorText)")
    }

    @Test func statusOfARelayIsRead() throws {
        let directory = UnicProgram.temporaryPath("relay")
        let child = try relay(directory)
        for path in [directory, directory + "/", directory + "/unic-iommu.sock"] {
            let text = try UnicProgram.run(["status", path]).output
            for line in [
                "model: virtio-iommu", "splits: 0", "host calls per request: 0.000", "  id 0x100, name nic0, group nic0, state blocked",
            ] {
                #expect(text.contains(line), "\(text)")
            }
        }
        let json = try UnicProgram.run(["status", directory, "--json"]).output
        let all = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        for key in ["merges", "merged_unmaps", "losses", "late_mappings", "request_nanoseconds", "last_faults", "troubles", "refusals"] {
            #expect(all[key] != nil, "\(key)")
        }
        #expect(!child.errorText.contains("lazy"))
        end(child)
        #expect(PathIdentity(of: directory + "/unic-iommu.sock.trace") == nil)
    }

    /// Each has a socket, a status and a trace, and endpoints of its own.
    @Test func severalIOMMUsAreServedAndLookedInto() throws {
        let directory = UnicProgram.temporaryPath("two")
        let child = try relay(directory, ["--device", "soft:more", "--device", "soft:more", "--iommus", "2"])
        #expect(child.errorText.contains("2 IOMMUs and 3 functions are served in"), "\(child.errorText)")
        let first = try UnicProgram.run(["status", directory]).output
        let second = try UnicProgram.run(["status", directory + "/unic-iommu1.sock"]).output
        for (text, own, other) in [(first, ["nic0", "nic2"], ["nic1"]), (second, ["nic1"], ["nic0", "nic2"])] {
            for name in own { #expect(text.contains("name \(name), group \(name), state blocked"), "\(text)") }
            for name in other { #expect(!text.contains("name \(name)"), "\(text)") }
        }
        #expect(PathIdentity(of: directory + "/unic-iommu1.sock.trace")?.isSocket == true)
        end(child)
        let many = try UnicProgram.run(["relay", "plan", "--directory", directory, "--device", "soft:x", "--iommus", "2"])
        #expect(many.exit == .exited(1) && many.errors.contains("2 IOMMUs are more than the 1 functions"), "\(many.errors)")
        let emulators = try UnicProgram.run([
            "relay", "serve", "--directory", directory, "--device", "soft:x", "--device", "soft:x", "--iommus", "2", "--viommu",
            "virtio-iommu",
        ])
        #expect(emulators.exit == .exited(1) && emulators.errors.contains("leave --iommus or --viommu out"), "\(emulators.errors)")
    }

    @Test func lazyUnmapTellsItsRisk() throws {
        let child = try relay(
            UnicProgram.temporaryPath("lazy"),
            ["--lazy-unmap", "--request-rate", "1000", "--max-mappings", "100", "--max-bytes", "1048576"])
        #expect(child.errorText.contains("--lazy-unmap: for up to 10 ms"), "\(child.errorText)")
        end(child)
    }

    /// QEMU's IOMMU is in front: our clients take its place, which map at IOVAs on the functions' connections.
    @Test func withAnIOMMUOfQEMUsEachConnectionIsADomain() throws {
        let directory = UnicProgram.temporaryPath("viommu")
        let wire = UnicProgram.freshWire("viommu")
        let child = try UnicProgram.start(
            ["relay", "serve", "--viommu", "intel-iommu", "--directory", directory] + [1, 2].flatMap { _ in ["--device", "soft:\(wire)"] })
        #expect(child.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("2 functions are served in") }, "\(child.errorText)")
        #expect(PathIdentity(of: directory + "/unic-iommu.sock") == nil && PathIdentity(of: directory + "/unic-viot.bin") == nil)
        let ports = [0, 1].flatMap { ["--device", "vfio-user:\(directory)/nic\($0).sock"] }
        let pingPong = try UnicProgram.start(["pingpong", "--sizes", "64,1024", "--count", "50", "--json"] + ports)
        #expect(pingPong.wait(timeoutMilliseconds: 60_000) == .exited(0), "\(pingPong.errorText)")
        #expect(pingPong.outputText.contains("\"lost\":0"), "\(pingPong.outputText)")
        let text = try UnicProgram.run(["status", directory, "--json"]).output
        let all = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let requests = try #require(all["requests"] as? [String: [String: Int]])
        // Both came, mapped, and are gone.
        #expect(requests["attach"] == ["ok": 2] && requests["detach"] == ["ok": 2] && requests["map"]?["ok"] ?? 0 >= 2, "\(text)")
        #expect(all["mappings"] as? Int == 0 && all["model"] as? String == "QEMU's intel-iommu", "\(text)")
        end(child)
    }

    @Test(arguments: ["--lazy-unmap", "--boot-bypass"]) func modesOfTheRelaysIOMMUAreRefusedWithQEMUs(word: String) throws {
        let run = try UnicProgram.run(["relay", "serve", "--device", "soft:x", "--viommu", "virtio-iommu", word])
        #expect(run.exit == .exited(64) && run.errors.contains(word), "\(run.errors)")
    }

    private static let mistakes = [["--request-rate", "0"], ["--max-mappings", "0"], ["--max-bytes", "1"]]

    @Test(arguments: mistakes) func limitsThatAreNoneAreRefused(words: [String]) throws {
        let run = try UnicProgram.run(["relay", "serve", "--device", "soft:x"] + words)
        #expect(run.exit == .exited(64) && run.errors.contains(words[0]), "\(run.errors)")
    }

    @Test func traceWaitsAndEndsWithTheRelay() throws {
        let directory = UnicProgram.temporaryPath("trace")
        let nobody = try UnicProgram.run(["trace", directory])
        #expect(nobody.exit == .exited(1) && nobody.errors.contains("nobody serves there"), "\(nobody.errors)")
        let child = try relay(directory)
        let trace = try UnicProgram.start(["trace", directory, "--json"])
        trace.wait(timeoutMilliseconds: 500)
        #expect(trace.exit == nil)
        end(child)
        #expect(
            trace.wait(timeoutMilliseconds: 10_000) == .exited(1) && trace.errorText.contains("the server has ended"), "\(trace.errorText)")
    }
}
