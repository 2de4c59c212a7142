import LinuxIO
import Testing

/// A tap's life, in a network namespace that goes with its process.
@Suite(.enabled(if: NetworkNamespace.canBeMade, "no network namespace can be made: needs root, or user namespaces for ordinary users"))
struct TapWireTests {
    private func lines(_ program: String, _ arguments: [String]) throws -> [String] {
        let child = try ChildProcess(program, arguments: arguments)
        #expect(child.wait(timeoutMilliseconds: 60_000) == .exited(0), "\(child.errorText)")
        return child.outputText.split(separator: "\n").map(String.init)
    }

    @Test func theKernelIsAtTheOtherEnd() throws {
        let said = try lines("unshare", NetworkNamespace.options + [try WirePeerProcess.program(), "tap", "unic0"])
        try #require(said.count == 12, "\(said)")
        #expect(said[0] == "made, carrier false")
        #expect(said[1].contains("unic0 refused") && said[1].contains("end it"))
        #expect(said[2].contains("lo refused") && said[2].contains("no tap interface"))
        #expect(said[3].contains("at most 15 bytes"))
        #expect(said[4] == "while down: refused 1")
        #expect(said[5] == "up, carrier true")
        #expect(said[6] == "ARP request of 60 bytes, padding true")
        #expect(said[7] == "ping of 98 bytes to 2:0:0:0:0:2")
        #expect(
            said[8...] == [
                "unplugged, carrier false", "plugged, carrier true", "deleted, wakes true", "gone, carrier false, silent true, refused 2",
            ])
    }

    @Test func withoutRightsTheCommandThatGivesThemIsTold() throws {
        let said = try lines("unshare", ["--user", try WirePeerProcess.program(), "tap", "unic0"])
        #expect(said.count == 1 && said[0].contains("ip tuntap add dev unic0 mode tap user"), "\(said)")
    }

    @Test func withoutTheDeviceTheCommandThatMakesItIsTold() throws {
        let hide = "mount -t tmpfs none /dev/net && exec \"$0\" tap unic0"
        let said = try lines("unshare", ["--mount"] + NetworkNamespace.options + ["sh", "-c", hide, try WirePeerProcess.program()])
        #expect(said.count == 1 && said[0].contains("modprobe tun") && said[0].contains("mknod"), "\(said)")
    }
}

/// unshare(1)'s options for a namespace with a kernel network of its own.
enum NetworkNamespace {
    static let options = effectiveUser == 0 ? ["--net"] : ["--net", "--map-root-user"]

    static let canBeMade: Bool = {
        let child = try? ChildProcess("unshare", arguments: options + ["true"])
        return child?.wait(timeoutMilliseconds: 10_000) == .exited(0) && PathIdentity(of: "/dev/net/tun") != nil
    }()
}
