import Foundation
import LabKit
import Testing

/// Virtual functions of QEMU's 82576, whose PF stays with the kernel's igb: the kernel's driver at the other end, and a PF
/// that goes away. Two functions of ours on every IOMMU are the matrix's.
@Suite(.serialized) struct IgbvfTests {
    private let physical = NIC.igb.address(ofPort: 0)
    private let functions = [NIC.address(ofVirtualFunction: 0), NIC.address(ofVirtualFunction: 1)]

    private func run(_ script: String, seconds: Int = 400) throws -> GuestRun {
        var guest = try Binaries.guest()
        guest.kernel = .small
        guest.emulator = .backports
        guest.hugepageCount = 128
        guest.portCounts = [.igb: 1]
        let run = try guest.run(
            "make-vfs \(physical) >/dev/null\npf=$(ls /sys/bus/pci/devices/\(physical)/net)\n" + script, timeLimitSeconds: seconds)
        #expect(run.ending == .exited(0), "\(run.ending)\n\(run.output.suffix(3000))\n\(run.errorOutput.suffix(3000))")
        print(run.output)
        return run
    }

    private func pingpong(_ options: String) -> String {
        "unic pingpong --device vfio:\(functions[0]) --device vfio:\(functions[1]) --sizes 64 \(options)"
    }

    /// Waits for the statistics of so many ports, which they show from their start on, and some seconds for their traffic.
    private func untilRunning(ports: Int) -> String {
        "for _ in $(seq 100); do [ $(ls /dev/shm/unic-0 2>/dev/null | wc -l) = \(ports) ] && break; sleep 0.3; done; sleep 5"
    }

    /// The other end is the kernel's igbvf in a network namespace: a mistake made twice would be found.
    @Test func theKernelPingsAnEchoWithoutLoss() throws {
        let run = try run(
            """
            bind-vfio \(functions[0])
            bind-vfio --kernel peer 198.18.0.1/24 --mtu 8000 \(functions[1])
            unic echo --device vfio:\(functions[0]) --ip 198.18.0.2 --mtu 8000 >/lab/results/echo.log 2>&1 &
            for _ in $(seq 50); do ip netns exec peer ping -c 1 -W 1 198.18.0.2 >/dev/null && break; done
            ip netns exec peer ping -c 200 -i 0.01 -s 1400 198.18.0.2 | tail -3
            ip netns exec peer ping -c 20 -i 0.05 -s 7900 -M do 198.18.0.2 | tail -3
            kill -INT $!; wait $! || true
            cat /lab/results/echo.log
            """)
        #expect(run.output.contains("200 packets transmitted, 200 received, 0% packet loss"))
        #expect(run.output.contains("20 packets transmitted, 20 received, 0% packet loss"))
    }

    /// Before the administrator gave it an address, the driver gives the function a local one.
    @Test func functionsWithoutAnAddressGetALocalOne() throws {
        let run = try run(
            """
            bind-vfio \(functions.joined(separator: " "))
            for i in 0 1; do ip link set $pf vf $i mac 00:00:00:00:00:00; done
            \(pingpong("--count 500 --json"))
            \(twoProcesses)
            """)
        #expect(run.output.contains("\"lost\":0"))
        #expect(!run.output.contains("00:00:00:00:00:00") && !run.errorOutput.contains("52:54:00:12:37"), "\(run.errorOutput)")
        // Each process had one function, in an IOMMU group and an address space of its own.
        let text = try run.file("two.json")
        let two = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
        #expect(two["lost"] as? Int == 0 && two["corrupt"] as? Int == 0, "\(text)")
        #expect((two["results"] as? [[String: Any]])?.map { $0["count"] as? Int } == [2000], "\(text)")
    }

    /// One process a function: the first answers, the second measures.
    private var twoProcesses: String {
        """
        [ ! /sys/bus/pci/devices/\(functions[0])/iommu_group -ef /sys/bus/pci/devices/\(functions[1])/iommu_group ]
        unic pingpong --server --wait 60 --interrupts --device vfio:\(functions[0]) >/lab/results/server 2>&1 &
        unic pingpong --client --interrupts --device vfio:\(functions[1]) --sizes 64 --count 2000 --json >/lab/results/two.json
        kill -INT $! 2>/dev/null || true
        wait $! || true
        """
    }

    /// The PF goes down under two functions in use: both say so, stop, and work again when it is back.
    @Test func aPFThatGoesDownIsReportedAndSurvived() throws {
        let run = try run(
            """
            bind-vfio \(functions.joined(separator: " "))
            for mode in "" --interrupts; do
                { \(pingpong("$mode --count 100000000")) >/lab/results/down 2>&1 && echo "ended well" || echo "ended with $?"; } &
                \(untilRunning(ports: 2))
                ip link set $pf down
                wait $!
                grep -o "the PF no longer serves this function" /lab/results/down | head -n 1
                \(pingpong("--count 10")) >/lab/results/closed 2>&1 || true
                grep -o "come out of its own reset" /lab/results/closed | head -n 1
                ip link set $pf up
                for _ in $(seq 20); do \(pingpong("--count 500 --json")) >/lab/results/again 2>&1 && break; sleep 1; done
                grep -o '"lost":0' /lab/results/again | head -n 1
            done
            """)
        for expected in ["the PF no longer serves this function", "come out of its own reset", "\"lost\":0"] {
            #expect(run.output.components(separatedBy: expected).count == 3, "\(expected): \(run.output)")
        }
        #expect(!run.output.contains("ended well"))
    }

    /// The PF's driver is unloaded while a function is in use: the program is told and ends, then the function goes.
    @Test func aPFsDriverThatIsUnboundTakesItsFunctionAwayFromTheProgram() throws {
        let run = try run(
            """
            bind-vfio \(functions[0])
            unic echo --device vfio:\(functions[0]) --ip 198.18.0.2 >/lab/results/echo 2>&1 &
            \(untilRunning(ports: 1))
            timeout 60 sh -c 'echo \(physical) >/sys/bus/pci/drivers/igb/unbind'
            ! wait $!
            cat /lab/results/echo
            [ ! -e /sys/bus/pci/devices/\(functions[0]) ] && echo "function gone"
            """)
        #expect(run.output.contains("the PF no longer serves this function"))
        #expect(run.output.contains("function gone"))
    }
}
