import Glibc
import LabKit
import Testing

/// virtio-net inside a guest: QEMU's device with split and with packed rings, behind an IOMMU, through the guest kernel's
/// VFIO. A device that is not ours; and in one cell the other end is the kernel's virtio_net.
@Suite(.serialized) struct VirtioNetTests {
    let split = [NIC.virtioNet.address(ofPort: 0), NIC.virtioNet.address(ofPort: 1)]
    let packed = [NIC.virtioNetPacked.address(ofPort: 0), NIC.virtioNetPacked.address(ofPort: 1)]

    /// A guest with two ports of each ring format and the release binaries that `make test` names.
    func guest() throws -> Guest {
        // SAFETY: nothing changes the environment while tests run; the text is copied.
        let folder = try #require(unsafe getenv("UNIC_BIN").map { unsafe String(cString: $0) }, "UNIC_BIN names no folder; run `make test`")
        var guest = Guest()
        guest.hugepageCount = 128
        guest.portCounts = [.virtioNet: 2, .virtioNetPacked: 2]
        guest.programs = ["\(folder)/unic", "\(folder)/driver-suite"]
        return guest
    }

    /// Runs a script and expects it to end well.
    func run(_ script: String, seconds: Int) throws -> GuestRun {
        let run = try guest().run(script, timeLimitSeconds: seconds)
        #expect(run.ending == .exited(0), "\(run.ending)\n\(run.output.suffix(3000))\n\(run.errorOutput.suffix(3000))")
        print(run.output)
        return run
    }

    /// 64, 1024 and 8000 bytes, polling and with interrupts, both ring formats.
    @Test func roundTripsLoseNothing() throws {
        let pairs = [split, packed].map { "--device vfio:\($0[0]) --device vfio:\($0[1])" }
        let script = pairs.flatMap { pair in
            ["", "--interrupts"].map { "unic pingpong \($0) \(pair) --sizes 64,1024,8000 --count 2000 --json" }
        }
        let run = try run(script.joined(separator: "\n"), seconds: 400)
        #expect(run.output.split(separator: "\"lost\":0").count - 1 == 12, "12 cells of 2000 round trips, nothing lost")
    }

    @Test func everyDriverCasePassesOnBothRingFormats() throws {
        let run = try run(
            "driver-suite vfio:\(split[0]) vfio:\(split[1])\ndriver-suite vfio:\(packed[0]) vfio:\(packed[1])", seconds: 600)
        #expect(run.output.split(separator: " 0 failed").count - 1 == 2)
    }

    /// The other end is the guest kernel's own virtio_net in a network namespace.
    @Test func theKernelPingsAnEchoWithoutLoss() throws {
        let cells = [split, packed].enumerated().map { number, ports in
            """
            bind-vfio --kernel peer\(number) 198.18.0.1/24 --mtu 9000 \(ports[1])
            unic echo --device vfio:\(ports[0]) --ip 198.18.0.2 --mtu 9000 >/lab/results/echo.log 2>&1 &
            for _ in $(seq 50); do ip netns exec peer\(number) ping -c 1 -W 1 198.18.0.2 >/dev/null && break; done
            ip netns exec peer\(number) ping -c 200 -i 0.01 -s 1400 198.18.0.2 | tail -3
            ip netns exec peer\(number) ping -c 20 -i 0.05 -s 8000 -M do 198.18.0.2 | tail -3
            kill -INT $!; wait $! || true
            cat /lab/results/echo.log
            """
        }
        let run = try run(cells.joined(separator: "\n"), seconds: 200)
        #expect(run.output.split(separator: "200 packets transmitted, 200 received, 0% packet loss").count - 1 == 2)
        #expect(run.output.split(separator: "20 packets transmitted, 20 received, 0% packet loss").count - 1 == 2)
    }
}
