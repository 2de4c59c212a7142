import Foundation
import LinuxIO
import Testing

/// What a user sees of each command.
struct HelpTests {
    @Test func versionIsOneLine() throws {
        let run = try UnicProgram.run(["--version"])
        #expect(run.exit == .exited(0))
        #expect(run.output.split(separator: ".").count == 3)
    }

    @Test(arguments: [
        [], ["pingpong"], ["generate"], ["count"], ["forward"], ["top"], ["echo"], ["serve"], ["status"], ["list"], ["bind"], ["unbind"],
        ["doctor"],
        ["hugepages"],
    ])
    func everyCommandExplainsItselfWithAnExample(
        _ command: [String]
    ) throws {
        let run = try UnicProgram.run(command + ["--help"])
        #expect(run.exit == .exited(0))
        #expect(run.output.contains("USAGE: unic"))
        #expect(run.output.contains("Example"))
    }
}

struct BadInputTests {
    /// Each wrong call, its exit code, and what its message has to name.
    static let wrongCalls: [(arguments: [String], code: Int32, words: [String])] = [
        (["pingpong", "--device", "bogus:x"], 1, ["bogus", "soft:", "vfio-user:", "vfio:"]),
        (["pingpong", "--device", "nothing"], 1, ["nothing", "scheme"]),
        (["pingpong", "--device", "soft:"], 1, ["wire"]),
        (["pingpong", "--device", "soft:a/b"], 1, ["a/b"]),
        (["pingpong", "--device", "soft:a?nic=ne2000"], 1, ["ne2000", "e1000e"]),
        (["pingpong", "--device", "soft:a?mac=01:00:00:00:00:00"], 1, ["01:00:00:00:00:00", "unicast"]),
        (["pingpong", "--device", "soft:a?colour=red"], 1, ["colour", "nic", "mac"]),
        (["pingpong", "--device", "soft:%r"], 1, ["%r", "mpirun"]),
        (["pingpong", "--device", "vfio:1:2", "--device", "soft:a"], 1, ["1:2", "lspci"]),
        (["pingpong", "--device", "vfio:0000:ff:1f.7", "--device", "soft:a"], 1, ["0000:ff:1f.7"]),
        (["pingpong", "--device", "vfio-user:/nonexistent/socket", "--device", "soft:a"], 1, ["/nonexistent/socket"]),
        (["pingpong", "--device", "vfio-user:relative", "--device", "soft:a"], 1, ["absolute"]),
        (["pingpong", "--device", "vfio:0000:00:00.0"], 1, ["second --device"]),
        (["pingpong", "--sizes", "64,many"], 64, ["many", "--sizes"]),
        (["pingpong", "--sizes", "9019"], 64, ["9019", "9018"]),
        (["pingpong", "--sizes", "0"], 64, ["0 bytes"]),
        (["pingpong", "--count", "0"], 64, ["count"]),
        (["pingpong", "--cpus", "1000"], 64, ["CPU 1000"]),
        (["pingpong", "--server"], 64, ["--device"]),
        (["pingpong", "--server", "--client", "--device", "soft:a"], 64, ["--server", "--client"]),
        (["echo", "--device", "soft:a", "--ip", "10.0.0"], 64, ["10.0.0"]),
        (["echo", "--device", "soft:a", "--ip", "10.0.0.1", "--mtu", "20000"], 64, ["20000", "9000"]),
        (["serve", "--socket", "relative", "--wire", "a"], 64, ["absolute"]),
        (["serve", "--socket", "/tmp/s", "--wire", "a", "--model", "ne2000"], 64, ["ne2000"]),
        (["serve", "--socket", "/tmp/s", "--wire", "tap:sixteen-letters-"], 64, ["sixteen-letters-", "1 to 15"]),
        (["serve", "--socket", "/tmp/s", "--wire", "tap:tap%d"], 64, ["tap%d"]),
        (["serve", "--socket", "/tmp/s", "--wire", "udp:127.0.0.1:1"], 64, ["127.0.0.1:1", "udp:192.0.2.1:4789,192.0.2.2:4789"]),
        (["serve", "--socket", "/tmp/s", "--wire", "udp:127.0.0.1:1,[::1]:1"], 64, ["[::1]:1", "families"]),
        (["serve", "--socket", "/tmp/s", "--wire", "udp:127.0.0.1:1,0.0.0.0:1"], 64, ["0.0.0.0:1", "hosts"]),
        (["serve", "--socket", "/tmp/s", "--wire", "udp:localhost:1,127.0.0.1:1"], 64, ["localhost:1"]),
        (["serve", "--socket", "/tmp/s", "--wire", "tcp:a"], 64, ["tcp:a", "tap:INTERFACE"]),
        (["status", "/nonexistent/socket"], 1, ["/nonexistent/socket.status", "nobody serves"]),
        (["status", "/tmp/s", "--watch", "0"], 64, ["--watch"]),
        (["generate", "--device", "soft:a", "--size", "9019"], 64, ["9019", "9018"]),
        (["generate", "--device", "soft:a", "--queues", "2"], 64, ["--flows"]),
        (["generate", "--device", "soft:a", "--to", "02:00"], 64, ["02:00"]),
        (["generate", "--device", "soft:a", "--rate", "0"], 64, ["--rate"]),
        (["count", "--device", "soft:a", "--queues", "9"], 64, ["--queues"]),
        (["count", "--device", "soft:a", "--queues", "3", "--seconds", "1"], 1, ["3 queue pairs"]),
        (["count", "--device", "soft:a", "--spin", "5", "--interrupts"], 64, ["--spin", "--interrupts"]),
        (["count", "--device", "soft:a", "--seconds", "0"], 64, ["--seconds"]),
        (["forward", "--device", "soft:a"], 64, ["two --device"]),
        (["forward", "--device", "soft:a", "--device", "soft:b", "--interrupts"], 64, ["polls"]),
        (["top", "--interval", "0"], 64, ["--interval"]),
        (["nonsense"], 64, ["nonsense"]),
    ]

    @Test(arguments: wrongCalls.indices) func isRefusedWithAMessageThatNamesIt(_ index: Int) throws {
        let call = Self.wrongCalls[index]
        let run = try UnicProgram.run(call.arguments)
        #expect(run.exit == .exited(call.code), "\(call.arguments): \(run.errors)")
        for word in call.words { #expect(run.errors.contains(word), "\(call.arguments): \(run.errors)") }
        #expect(!run.output.contains("p99"))
    }
}
