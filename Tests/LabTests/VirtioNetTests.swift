import LabKit
import Testing

/// virtio-net against what is not ours: the guest kernel's own virtio_net at the other end, and QEMU's device with several
/// queue pairs on taps, which leaves checksums to us. What one of our ports says to another is the matrix's.
@Suite(.serialized) struct VirtioNetTests {
    static let formats: [NIC] = [.virtioNet, .virtioNetPacked]

    private func guest() throws -> Guest {
        var guest = try Binaries.guest()
        guest.kernel = .small
        guest.hugepageCount = 128
        guest.portCounts = Dictionary(uniqueKeysWithValues: Self.formats.map { ($0, 2) })
        return guest
    }

    private func run(_ guest: Guest, _ script: String, seconds: Int) throws -> GuestRun {
        let run = try guest.run(script, timeLimitSeconds: seconds)
        #expect(run.ending == .exited(0), "\(run.ending)\n\(run.output.suffix(3000))\n\(run.errorOutput.suffix(3000))")
        print(run.output)
        return run
    }

    /// The other end is the guest kernel's driver in a network namespace.
    @Test func theKernelPingsAnEchoWithoutLoss() throws {
        let cells = Self.formats.map { nic in
            let (ours, peer) = (nic.address(ofPort: 0), nic.address(ofPort: 1))
            return """
                bind-vfio --kernel \(nic.rawValue) 198.18.0.1/24 --mtu 9000 \(peer)
                unic echo --device vfio:\(ours) --ip 198.18.0.2 --mtu 9000 >/lab/results/echo.log 2>&1 &
                for _ in $(seq 50); do ip netns exec \(nic.rawValue) ping -c 1 -W 1 198.18.0.2 >/dev/null && break; done
                ip netns exec \(nic.rawValue) ping -c 200 -i 0.01 -s 1400 198.18.0.2 | tail -3
                ip netns exec \(nic.rawValue) ping -c 20 -i 0.05 -s 8000 -M do 198.18.0.2 | tail -3
                kill -INT $!; wait $! || true
                cat /lab/results/echo.log

                """
        }
        let run = try run(guest(), cells.joined(), seconds: 300)
        #expect(run.output.split(separator: "200 packets transmitted, 200 received, 0% packet loss").count - 1 == 2)
        #expect(run.output.split(separator: "20 packets transmitted, 20 received, 0% packet loss").count - 1 == 2)
    }

    /// Eight queue pairs, spread by the host's taps; checksums that senders left out.
    @Test func everyDriverCasePassesWithSeveralQueuePairs() throws {
        var guest = try guest()
        guest.virtioQueuePairCount = 8
        let suites = Self.formats.map { "driver-suite vfio:\($0.address(ofPort: 0)) vfio:\($0.address(ofPort: 1))" }
        let run = try run(guest, suites.joined(separator: "\n"), seconds: 600)
        #expect(run.output.split(separator: " 0 failed").count - 1 == 2)
    }
}
