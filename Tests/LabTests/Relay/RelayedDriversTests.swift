import Foundation
import LabKit
import Testing

/// Drivers in a guest whose only IOMMU is ours: unic's and DPDK's through the VFIO that exists by it, and Linux's own through
/// the DMA API. The NICs are models outside.
@Suite(.serialized) struct RelayedDriversTests {
    private static let sizes = [64, 1024, 8000]

    private func pingpong(_ relayed: RelayedGuest, _ iommu: String, _ more: String = "--sizes 64,1024,8000 --count 2000") -> String {
        "unic pingpong \(relayed.devices("?iommu=\(iommu)")) \(more) --json"
    }

    /// Debian's kernel: type1, then the kernel's driver with strict unmapping, then a NIC that goes astray.
    @Test func debianHasVFIOAndEveryDriverWorksThroughIt() throws {
        var relayed = try RelayedGuest(.debian)
        relayed.guest.kernelArguments = "iommu.strict=1"
        let addresses = relayed.addresses
        let running = try relayed.start(
            """
            bind-vfio \(addresses.joined(separator: " "))
            echo "groups: $(ls /dev/vfio | grep -c '^[0-9]')"
            pause bound
            \(pingpong(relayed, "type1")) >/lab/results/polling
            \(pingpong(relayed, "type1", "--interrupts --sizes 64,1024,8000 --count 2000")) >/lab/results/interrupts
            pause ran
            \(pingpong(relayed, "type1", "--sizes 64 --count 100")) >/lab/results/short
            pause short-ran
            \(pingpong(relayed, "type1", "--sizes 64 --count 10100")) >/lab/results/long
            pause long-ran
            driver-suite vfio:\(addresses[0]) vfio:\(addresses[1]) | tail -n 1
            pause suite-ran

            """ + UnmodifiedDriverTests.tools + """
                join e \(addresses.joined(separator: " "))
                echo "type: $(cat /sys/bus/pci/devices/\(addresses[0])/iommu_group/type)"
                pings e
                pause kernel-began
                tcp e-a e-b 198.18.0.2
                tcp e-b e-a 198.18.0.1
                pause kernel-ran
                echo \(addresses[1]) >/sys/bus/pci/devices/\(addresses[1])/driver/unbind
                dmesg -C
                # Nobody drives it now: a transmit ring where nothing is mapped, and its tail.
                setpci -s \(addresses[1]) COMMAND=6
                read -r bar _ </sys/bus/pci/devices/\(addresses[1])/resource
                for write in 3804:0 3800:0xdead0000 3808:128 3810:0 400:0x0103f0fa 3818:1; do
                    busybox devmem $((bar + 0x${write%%:*})) 32 ${write##*:}
                done
                sleep 1
                dmesg | grep "fault from EP"
                pause astray
                """, seconds: 450)
        let bound = try relayed.reading(at: "bound", of: running)
        let ran = try relayed.reading(at: "ran", of: running)
        let shortRan = try relayed.reading(at: "short-ran", of: running)
        let longRan = try relayed.reading(at: "long-ran", of: running)
        let suiteRan = try relayed.reading(at: "suite-ran", of: running, seconds: 300)
        let kernelBegan = try relayed.reading(at: "kernel-began", of: running)
        let kernelRan = try relayed.reading(at: "kernel-ran", of: running)
        let astray = try relayed.reading(at: "astray", of: running)
        let run = try running.finish()
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output.suffix(3000)) \(run.errorOutput.suffix(3000))")

        #expect(run.output.contains("groups: 2\n"), "\(run.output)")
        for file in ["polling", "interrupts"] { try expectPingPong(run, file, sizes: Self.sizes, count: 2000) }
        try expectPingPong(run, "long", sizes: [64], count: 10_100)
        #expect(run.output.contains(" 0 failed"), "\(run.output)")
        // Each run maps its memory, and all of it goes again.
        for (before, after) in [(bound, ran), (ran, shortRan), (shortRan, longRan), (longRan, suiteRan)] {
            let told = "\(before)\(after)"
            #expect(after.done("map") >= before.done("map") + 4 && after.done("unmap") >= before.done("unmap") + 1, "\(told)")
            #expect(after.mappings == before.mappings && after.mappedByteCount == before.mappedByteCount, "\(told)")
            #expect(after.failed == before.failed && after.refusals == before.refusals, "\(told)")
        }
        #expect(suiteRan.unmappedFaults == 0 && suiteRan.unattachedFaults == 0, "\(suiteRan)")
        // 10,000 more round trips are 10,000 more frames each way, and no message more: only looks at the link, some a second.
        for (name, messages) in longRan.nicMessages {
            let short = (shortRan.nicMessages[name] ?? 0) - (ran.nicMessages[name] ?? 0)
            let long = messages - (shortRan.nicMessages[name] ?? 0)
            print("\(name): \(short) messages for 100 round trips, \(long) for 10,100")
            #expect(short > 0 && abs(long - short) <= 100, "\(name): \(short) messages for 100 round trips, \(long) for 10,100")
        }
        #expect(longRan.endpoints.count == 2)

        #expect(run.output.contains("type: DMA\n"), "\(run.output)")
        try expectTCP(run)
        // Strict: what was sent is unmapped, buffer by buffer.
        let unmaps = kernelRan.done("unmap") - kernelBegan.done("unmap")
        print("20 MB of TCP: \(kernelRan.done("map") - kernelBegan.done("map")) MAP, \(unmaps) UNMAP")
        #expect(unmaps > 1000, "\(kernelBegan)\(kernelRan)")
        #expect(kernelRan.unmappedFaults == 0 && kernelRan.unattachedFaults == 0, "\(kernelRan)")

        // nic1 is 02:00.0.
        #expect(run.output.contains("page fault from EP 512 at 0xdead0000"), "\(run.output)")
        #expect((1..<100).contains(astray.unmappedFaults) && astray.unattachedFaults == 0, "\(astray)")
    }

    /// The small kernel: iommufd, DPDK on type1, and the kernel's driver with lazy unmapping.
    @Test func theSmallKernelHasIOMMUFDAndEveryDriverWorksThroughIt() throws {
        var relayed = try RelayedGuest(.small)
        relayed.guest.kernelArguments = "iommu.strict=0"
        relayed.guest.hasDPDK = true
        relayed.guest.processorCount = 2
        relayed.guest.hugepageCount = 128
        let addresses = relayed.addresses
        let running = try relayed.start(
            """
            bind-vfio \(addresses.joined(separator: " "))
            echo "devices: $(ls /dev/vfio/devices | wc -l)"
            pause bound
            \(pingpong(relayed, "iommufd")) >/lab/results/polling
            \(pingpong(relayed, "iommufd", "--interrupts --sizes 64,1024,8000 --count 2000")) >/lab/results/interrupts
            pause ran
            timeout -s INT 12 dpdk-testpmd -l 0-1 --in-memory --no-telemetry -m 64 \(addresses.map { "-a \($0)" }.joined(separator: " ")) \\
                -- --forward-mode=io --total-num-mbufs=4096 --tx-first --stats-period 1 >/lab/results/testpmd 2>&1 || true
            sed -nE 's/^ *RX-packets: +([0-9]+).*/received: \\1/p' /lab/results/testpmd | tail -n 2
            pause testpmd-ran

            """ + UnmodifiedDriverTests.tools + """
                join e \(addresses.joined(separator: " "))
                echo "type: $(cat /sys/bus/pci/devices/\(addresses[0])/iommu_group/type)"
                pings e
                pause kernel-began
                tcp e-a e-b 198.18.0.2
                tcp e-b e-a 198.18.0.1
                pause kernel-ran
                """, seconds: 300)
        let bound = try relayed.reading(at: "bound", of: running)
        let ran = try relayed.reading(at: "ran", of: running)
        let testpmdRan = try relayed.reading(at: "testpmd-ran", of: running)
        let kernelBegan = try relayed.reading(at: "kernel-began", of: running)
        let kernelRan = try relayed.reading(at: "kernel-ran", of: running)
        let run = try running.finish()
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output.suffix(3000)) \(run.errorOutput.suffix(3000))")

        #expect(run.output.contains("devices: 2\n"), "\(run.output)")
        for file in ["polling", "interrupts"] { try expectPingPong(run, file, sizes: Self.sizes, count: 2000) }
        for (before, after) in [(bound, ran), (ran, testpmdRan)] {
            let told = "\(before)\(after)"
            #expect(after.done("map") >= before.done("map") + 4 && after.done("unmap") >= before.done("unmap") + 1, "\(told)")
            #expect(after.mappings == before.mappings && after.mappedByteCount == before.mappedByteCount, "\(told)")
        }
        // The first burst is 32 frames each way; these come back for ever.
        let received = run.output.split(separator: "\n").compactMap { $0.hasPrefix("received: ") ? Int($0.dropFirst(10)) : nil }
        #expect(received.count == 2 && received.allSatisfy { $0 > 200 }, "\(received) \((try? run.file("testpmd").suffix(3000)) ?? "")")

        #expect(run.output.contains("type: DMA-FQ\n"), "\(run.output)")
        try expectTCP(run)
        let unmaps = kernelRan.done("unmap") - kernelBegan.done("unmap")
        print("20 MB of TCP, lazy: \(kernelRan.done("map") - kernelBegan.done("map")) MAP, \(unmaps) UNMAP")
        #expect(unmaps > 1000, "\(kernelBegan)\(kernelRan)")
        #expect(kernelRan.unmappedFaults == 0 && kernelRan.unattachedFaults == 0 && kernelRan.failed.isEmpty, "\(kernelRan)")
    }

    /// Both ways, and 100 pings.
    private func expectTCP(_ run: GuestRun) throws {
        #expect(run.output.contains("100 packets transmitted, 100 received, 0% packet loss"), "\(run.output)")
        #expect(run.output.split(separator: "10 MB arrived").count - 1 == 2, "\(run.output)")
    }
}
