import Foundation
import LinuxIO
import Testing

/// `unic serve --wire` to another machine and to the kernel.
@Suite(.serialized) struct UDPWireCommandTests {
    @Test(arguments: [("e1000e", "127.0.0.1"), ("virtio-net", "[::1]"), ("igbvf", "127.0.0.1")])
    func pingPongThroughTwoServersOverUDPLosesNothing(model: String, host: String) throws {
        let port = Int.random(in: 20_000..<32_000)
        let ends = ["\(host):\(port)", "\(host):\(port + 1)"]
        let paths = ["a", "b"].map { UnicProgram.temporaryPath("\($0).sock") }
        let servers = try zip(paths, [ends, ends.reversed()]).map { path, wire in
            try UnicProgram.start(["serve", "--model", model, "--socket", path, "--wire", "udp:" + wire.joined(separator: ",")])
        }
        for server in servers {
            #expect(server.readOutput(timeoutMilliseconds: 20_000) { $0.errorText.contains("is served at") }, "\(server.errorText)")
        }
        let run = try UnicProgram.run([
            "pingpong", "--device", "vfio-user:\(paths[0])", "--device", "vfio-user:\(paths[1])", "--sizes",
            model == "e1000e" ? "64,1518,9018" : "64,1518", "--count", "500", "--json",
        ])
        #expect(run.exit == .exited(0), "\(run.errors)")
        let all = try #require(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(all["lost"] as? Int == 0 && all["corrupt"] as? Int == 0)
        for result in try #require(all["results"] as? [[String: Any]]) { #expect(result["count"] as? Int == 500) }
        for server in servers {
            server.send(signal: 15)
            #expect(server.wait(timeoutMilliseconds: 10_000) == .exited(143), "\(server.errorText)")
        }
    }

    @Test func modelsInTwoProcessesMeetOverUDP() throws {
        let port = Int.random(in: 20_000..<32_000)
        let server = try UnicProgram.start([
            "pingpong", "--server", "--device", "soft:udp:127.0.0.1:\(port),127.0.0.1:\(port + 1)", "--wait", "30",
        ])
        let run = try UnicProgram.run([
            "pingpong", "--client", "--device", "soft:udp:127.0.0.1:\(port + 1),127.0.0.1:\(port)?nic=virtio-net", "--sizes", "64",
            "--count",
            "100", "--json",
        ])
        #expect(run.exit == .exited(0), "\(run.errors)")
        server.send(signal: 15)
        _ = server.wait(timeoutMilliseconds: 10_000)
    }
}

@Suite(
    .serialized,
    .enabled(if: KernelNetwork.canBeMade, "no network namespace can be made: needs root, or user namespaces for ordinary users"))
struct TapWireCommandTests {
    /// Makes the served interface, and brings it up with an address, once the server has made it.
    private static let served = """
        set -euo pipefail
        unic=$0 socket=$1 waiting=$3
        "$unic" serve --model "$2" --socket "$socket" --wire tap:unic0 "${@:4}" &
        server=$!
        for _ in {1..200}; do [ -S "$socket" ] && break; sleep 0.1; done
        ip addr add 198.18.0.1/24 dev unic0
        ip link set unic0 up
        "$unic" echo --device "vfio-user:$socket" --ip 198.18.0.2 $waiting &
        echo=$!
        """

    private func run(_ script: String, _ arguments: [String]) throws -> (exit: ChildProcess.Exit?, output: String, errors: String) {
        let path = UnicProgram.temporaryPath("tap.sock")
        let child = try ChildProcess(
            "unshare",
            arguments: KernelNetwork.options + ["bash", "-c", Self.served + "\n" + script, try UnicProgram.path(), path] + arguments)
        let exit = child.wait(timeoutMilliseconds: 120_000)
        return (exit, child.outputText, child.errorText)
    }

    /// Model, how the driver waits, how the server does. Each ping is one program, which waits for its own answer: a machine
    /// that is busy makes answers late, not lost.
    @Test(arguments: [
        ["e1000e", "--interrupts"], ["virtio-net", "--interrupts"], ["igbvf", ""], ["e1000e", "--interrupts", "--trap-doorbells"],
        ["e1000e", "--interrupts", "--busy-poll"],
    ])
    func theKernelsPingReachesTheDriver(_ serving: [String]) throws {
        let run = try run(
            """
            ping -c 1 -W 20 198.18.0.2 >/dev/null || true
            answered=0
            for _ in {1..100}; do ! ping -q -c 1 -W 5 -s 1400 198.18.0.2 >/dev/null || answered=$((answered + 1)); done
            echo "answered $answered"
            kill -TERM $echo; wait $echo || true
            kill -TERM $server; wait $server || true
            [ ! -e "$socket" ] && ! ip link show unic0
            """, serving)
        #expect(run.exit == .exited(0), "\(run.output) \(run.errors)")
        #expect(run.output.contains("answered 100\n"), "\(run.output) \(run.errors)")
    }

    /// The server goes on, idle, with a NIC whose cable leads nowhere.
    @Test func aDeletedInterfaceIsNoMoreThanAPulledCable() throws {
        let run = try run(
            """
            ping -c 1 -W 20 198.18.0.2 >/dev/null
            ip link delete unic0
            sleep 0.5
            ticks() { awk '{print $14 + $15}' "/proc/$server/stat"; }
            before=$(ticks)
            sleep 2
            echo "ticks $(($(ticks) - before))"
            kill -0 $server && kill -0 $echo
            "$unic" status "$socket" --json
            kill -TERM $echo; wait $echo || true
            kill -TERM $server; wait $server || echo "ended $?"
            """, ["e1000e", "--interrupts"])
        #expect(run.exit == .exited(0), "\(run.output) \(run.errors)")
        #expect(run.output.contains("\"connected\":true") && run.output.contains("ended 143"), "\(run.output) \(run.errors)")
        let ticks = run.output.split(separator: "\n").first { $0.hasPrefix("ticks ") }.flatMap { Int($0.dropFirst(6)) }
        // 200 would be all of a CPU.
        #expect(try #require(ticks) < 100)
    }
}

/// A kernel network of a process' own (unshare(1)).
enum KernelNetwork {
    static let options = effectiveUser == 0 ? ["--net"] : ["--net", "--map-root-user"]

    static let canBeMade: Bool = {
        let child = try? ChildProcess("unshare", arguments: options + ["true"])
        return child?.wait(timeoutMilliseconds: 10_000) == .exited(0) && PathIdentity(of: "/dev/net/tun") != nil
    }()
}
