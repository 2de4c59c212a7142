import LabKit
import Testing

/// unic inside a guest: QEMU's e1000e behind an Intel IOMMU, through the guest kernel's VFIO. A NIC and a VFIO that are not
/// ours.
@Suite(.serialized) struct UnicInGuestTests {
    let ports = [NIC.e1000e.address(ofPort: 0), NIC.e1000e.address(ofPort: 1)]

    func guest() throws -> Guest {
        var guest = try Binaries.guest()
        guest.hugepageCount = 128
        return guest
    }

    /// Runs a script and expects it to end well.
    func run(_ script: String, seconds: Int) throws -> GuestRun {
        let run = try guest().run(script, timeLimitSeconds: seconds)
        #expect(run.ending == .exited(0), "\(run.ending)\n\(run.output.suffix(3000))\n\(run.errorOutput.suffix(3000))")
        print(run.output)
        return run
    }

    @Test func tenThousandRoundTripsPollingLoseNothing() throws {
        let run = try run(
            "unic pingpong -v --device vfio:\(ports[0]) --device vfio:\(ports[1]) --sizes 64 --count 10000 --json >/lab/results/a.json\ncat /lab/results/a.json",
            seconds: 180)
        #expect(run.output.contains("\"lost\":0"))
        #expect(run.output.contains("\"count\":10000"))
        #expect(run.output.contains("pages of 2 MiB"), "no word of hugepages: \(run.output)")
    }

    @Test func tenThousandRoundTripsWithInterruptsLoseNothing() throws {
        let run = try run(
            "unic pingpong --interrupts --device vfio:\(ports[0]) --device vfio:\(ports[1]) --sizes 64 --count 10000 --json", seconds: 300)
        #expect(run.output.contains("\"lost\":0"))
        #expect(run.output.contains("\"count\":10000"))
    }

    @Test func everyDriverCasePasses() throws {
        let run = try run("driver-suite vfio:\(ports[0]) vfio:\(ports[1])", seconds: 300)
        #expect(run.output.contains(" 0 failed"))
    }

    @Test func hugepagesComeBackHoweverAProcessEnds() throws {
        let run = try run("hugepage-check check", seconds: 120)
        #expect(run.output.contains("after kill -9: as before"))
    }

    @Test func aReservedPageOfOneGibibyteIsUsed() throws {
        var guest = try guest()
        guest.memoryMebibytes = 4096
        guest.kernelArguments = "hugepagesz=1G hugepages=1"
        let run = try guest.run("hugepage-check hold 600000000 10; hugepage-check report", timeLimitSeconds: 120)
        #expect(run.ending == .exited(0), "\(run.errorOutput)")
        #expect(run.output.contains("in 1 pages of 1 GiB"), "\(run.output)")
        #expect(run.output.contains("1 GiB pages: total 1, free 1"), "\(run.output)")
    }

    /// The other end is the guest kernel's own e1000e driver in a network namespace.
    @Test func theKernelPingsAnEchoWithoutLoss() throws {
        let run = try run(
            """
            bind-vfio --kernel peer 198.18.0.1/24 --mtu 9000 \(ports[1])
            unic echo --device vfio:\(ports[0]) --ip 198.18.0.2 --mtu 9000 >/lab/results/echo.log 2>&1 &
            for _ in $(seq 50); do ip netns exec peer ping -c 1 -W 1 198.18.0.2 >/dev/null && break; done
            ip netns exec peer ping -c 200 -i 0.01 -s 1400 198.18.0.2 | tail -3
            ip netns exec peer ping -c 20 -i 0.05 -s 8000 -M do 198.18.0.2 | tail -3
            kill -INT $!; wait $! || true
            cat /lab/results/echo.log
            """, seconds: 120)
        #expect(run.output.contains("200 packets transmitted, 200 received, 0% packet loss"))
        #expect(run.output.contains("20 packets transmitted, 20 received, 0% packet loss"))
    }

    @Test func aGuestWithoutAnIOMMUIsToldSo() throws {
        var guest = try guest()
        guest.iommu = .none
        let run = try guest.run("unic pingpong --device vfio:\(ports[0]) --device vfio:\(ports[1])", timeLimitSeconds: 60)
        #expect(run.ending != .exited(0))
        #expect(run.errorOutput.contains("IOMMU"), "\(run.errorOutput)")
    }

    /// A plain user, given the groups' nodes, where no hugepage is free and none may be raised.
    @Test func withoutHugepagesAPlainUserIsToldWhyAndRunsAllTheSame() throws {
        var guest = try guest()
        guest.hugepageCount = 0
        let run = try guest.run(
            """
            chown 65534 /dev/vfio/3 /dev/vfio/4
            ulimit -l unlimited
            as="setpriv --reuid=65534 --clear-groups"
            $as unic pingpong -v --device vfio:\(ports[0]) --device vfio:\(ports[1]) --sizes 64 --count 1000 --json
            ! $as unic pingpong --pages huge --device vfio:\(ports[0]) --device vfio:\(ports[1]) --count 10
            """, timeLimitSeconds: 120)
        #expect(run.ending == .exited(0), "\(run.errorOutput)")
        #expect(run.output.contains("\"lost\":0"))
        #expect(run.output.contains("No 2 MiB pages"), "not told why: \(run.output)")
        #expect(run.errorOutput.contains("no packet memory"), "\(run.errorOutput)")
    }
}
