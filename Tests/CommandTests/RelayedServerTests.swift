import Foundation
import LinuxIO
import Testing

/// A NIC that another server has, `unic serve`, behind the IOMMU of `unic relay serve`; a client (Tests/RelayGuest) takes the
/// place of QEMU and of the drivers in its guest.
@Suite(.serialized) struct RelayedServerTests {
    private struct Bench {
        let directory = UnicProgram.temporaryPath("behind")
        let socket = UnicProgram.temporaryPath("other.sock")
        let server: ChildProcess
        let relay: ChildProcess

        /// - Parameter iommus: two: the other server's NIC is behind the first, a model behind the second.
        init(iommus: Int = 1) throws {
            let wire = UnicProgram.freshWire("behind")
            server = try UnicProgram.start(["serve", "--wire", wire, "--socket", socket])
            let deadline = Deadline(afterMilliseconds: 20_000)
            while PathIdentity(of: socket) == nil, !deadline.hasPassed { _ = waitForEvents([], timeoutMilliseconds: 10) }
            relay = try UnicProgram.start([
                "relay", "serve", "--device", "vfio-user:\(socket)", "--device", "soft:\(wire)", "--directory", directory,
                "--iommus", "\(iommus)",
            ])
            #expect(relay.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("are served in") }, "\(relay.errorText)")
        }

        func end() {
            for child in [relay, server] where child.exit == nil {
                child.send(signal: 18)
                child.send(signal: 15)
                if child.wait(timeoutMilliseconds: 10_000) == nil { child.send(signal: 9) }
            }
        }

        func client() throws -> UnicProgram.Output {
            try UnicProgram.run(program: UnicProgram.path("relay-guest"), ["program", directory])
        }

        func status(_ path: String) throws -> [String: Any] {
            let text = try UnicProgram.run(["status", path, "--json"]).output
            return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
        }

        func wait(for losses: Int) throws {
            let deadline = Deadline(afterMilliseconds: 10_000)
            while try status(directory)["losses"] as? Int != losses, !deadline.hasPassed {
                _ = waitForEvents([], timeoutMilliseconds: 50)
            }
            let all = try status(directory)
            #expect(all["losses"] as? Int == losses && relay.exit == nil, "\(all) \(relay.errorText)")
        }
    }

    @Test func framesFlowAtAddressesThatOnlyTheRelayMapped() throws {
        let bench = try Bench()
        defer { bench.end() }
        let run = try bench.client()
        #expect(run.exit == .exited(0), "\(run.output) \(run.errors) \(bench.relay.errorText)")
        for line in [
            "is mapped in both domains, to other memory", "1200 frames with poll, none lost, and no message meanwhile",
            "1200 frames with interrupt, none lost", "nothing arrived after UNMAP",
        ] {
            #expect(run.output.contains(line), "\(line) is not in: \(run.output)")
        }
        // The guest is gone, and with it all that was mapped.
        let other = try bench.status(bench.socket)
        #expect(other["maps"] as? Int == 0 && other["failed_commands"] as? Int == 0, "\(other)")
        let commands = try #require(other["messages_by_command"] as? [String: Int])
        #expect(commands["VFIO_USER_DMA_MAP"] ?? 0 >= 3 && commands["VFIO_USER_DMA_UNMAP"] == commands["VFIO_USER_DMA_MAP"], "\(commands)")
    }

    @Test(arguments: [9, 15]) func theOtherServersEndIsTheDevicesEndAndNotTheRelays(signal: Int32) throws {
        let bench = try Bench()
        defer { bench.end() }
        bench.server.send(signal: signal)
        try bench.wait(for: 1)
        // Its socket is gone, as a device that was unplugged; the IOMMU refuses to attach it.
        #expect(PathIdentity(of: bench.directory + "/nic0.sock") == nil)
        let run = try bench.client()
        #expect(run.output.contains("ATTACH was answered with 3"), "\(run.output) \(run.errors)")
    }

    /// Each IOMMU has the other servers' devices that are behind it, and no more.
    @Test func theOtherServersEndIsOneIOMMUsAffair() throws {
        let bench = try Bench(iommus: 2)
        defer { bench.end() }
        let second = bench.directory + "/unic-iommu1.sock"
        for path in [bench.directory, second] { #expect(try bench.status(path)["losses"] as? Int == 0) }
        bench.server.send(signal: 9)
        try bench.wait(for: 1)
        let all = try bench.status(second)
        let names = (all["endpoints"] as? [[String: Any]])?.map { $0["name"] as? String }
        #expect(all["losses"] as? Int == 0 && names == ["nic1"], "\(all)")
        #expect(PathIdentity(of: bench.directory + "/nic1.sock") != nil && PathIdentity(of: bench.directory + "/nic0.sock") == nil)
    }

    /// It hangs, and the relay does not: after the deadline the guest is told that its map failed, and its device is given up.
    @Test func aServerThatHangsIsGivenUp() throws {
        let bench = try Bench()
        defer { bench.end() }
        bench.server.send(signal: 19)
        let run = try bench.client()
        #expect(run.output.contains("MAP of memory of the guest was answered with 3"), "\(run.output) \(run.errors)")
        try bench.wait(for: 1)
        let refusals = try bench.status(bench.directory)["refusals"] as? [String] ?? []
        #expect(refusals.contains { $0.contains("no reply to VFIO_USER_DMA_MAP within 2000 ms") }, "\(refusals)")
    }
}
