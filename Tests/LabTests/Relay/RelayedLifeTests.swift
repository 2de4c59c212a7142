import LabKit
import Testing

/// What happens to a relayed guest: it reboots under traffic, and a NIC is unplugged in use.
@Suite(.serialized) struct RelayedLifeTests {
    /// Three boots: the first ends under a ping-pong of unic's, the second under a flood of the kernel's driver, and in the third
    /// all works again until a NIC is unplugged.
    @Test func aGuestRebootsUnderTrafficAndLosesANIC() throws {
        // QEMU 11.1 ends itself when a vfio-user device with MSI-X is unplugged.
        var relayed = try RelayedGuest(.small, parameters: "?msix=off")
        relayed.guest.reboots = true
        let addresses = relayed.addresses
        let running = try relayed.start(
            UnmodifiedDriverTests.tools + """
                boot=$(($(ls /lab/results | grep -c '^boot-[0-9]$') + 1))
                pause boot-$boot
                endless() {
                    timeout 60 unic pingpong \(relayed.devices()) --sizes 64 --count 100000000 >/lab/results/pingpong-$boot 2>&1 \\
                        && echo "ended well" || echo "ended with $?"
                }
                in_use() { for _ in $(seq 100); do [ $(ls /dev/shm/unic-0 2>/dev/null | wc -l) = 2 ] && break; sleep 0.3; done; sleep 1; }
                case $boot in
                1)
                    bind-vfio \(addresses.joined(separator: " "))
                    endless &
                    in_use
                    pause traffic-1
                    busybox reboot -f ;;
                2)
                    join e \(addresses.joined(separator: " "))
                    ip netns exec e-a ping -f 198.18.0.2 >/dev/null 2>&1 &
                    sleep 2
                    pause traffic-2
                    busybox reboot -f ;;
                esac
                bind-vfio \(addresses.joined(separator: " "))
                unic pingpong \(relayed.devices()) --sizes 64,1024 --count 2000 --json >/lab/results/works
                pause works
                endless &
                in_use
                pause traffic-3
                wait $!
                for _ in $(seq 100); do [ -e /sys/bus/pci/devices/\(addresses[0]) ] || break; sleep 0.1; done
                [ -e /sys/bus/pci/devices/\(addresses[0]) ] || echo "the function went"
                grep HugePages_Free: /proc/meminfo
                pause unplugged
                """, seconds: 300)
        var boots: [RelayReading] = []
        var traffic: [RelayReading] = []
        for number in 1...2 {
            boots.append(try relayed.reading(at: "boot-\(number)", of: running))
            traffic.append(try relayed.reading(at: "traffic-\(number)", of: running))
        }
        boots.append(try relayed.reading(at: "boot-3", of: running))
        let works = try relayed.reading(at: "works", of: running)
        traffic.append(try relayed.reading(at: "traffic-3", of: running))
        #expect(try running.monitor(#"{"execute":"device_del","arguments":{"id":"nic0"}}"#).contains("return"))
        let unplugged = try relayed.reading(at: "unplugged", of: running)
        let run = try running.finish()
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output.suffix(3000)) \(run.errorOutput.suffix(3000))")

        // Each boot finds what the first one found: nothing of the one before is left.
        for (index, reading) in boots.enumerated() {
            let told = "boot \(index + 1): \(boots[0])\(reading)"
            #expect(reading.domains == boots[0].domains && reading.mappings == boots[0].mappings, "\(told)")
            #expect(reading.mappedByteCount == boots[0].mappedByteCount, "\(told)")
            #expect(reading.endpoints.mapValues(\.state) == boots[0].endpoints.mapValues(\.state), "\(told)")
            if index > 0 { #expect(reading.resets > boots[index - 1].resets, "\(told)") }
        }
        for (index, reading) in traffic.enumerated() {
            #expect(reading.mappings > boots[index].mappings, "traffic in boot \(index + 1): \(boots[index])\(reading)")
        }
        // NICs that still ran when their IOMMU was reset are refused a few times at most.
        print("faults: \(boots.map { [$0.unmappedFaults, $0.unattachedFaults] })")
        #expect(unplugged.unmappedFaults + unplugged.unattachedFaults < 100, "\(unplugged)")
        #expect(unplugged.failed.isEmpty && unplugged.refusals.isEmpty, "\(unplugged)")
        try expectPingPong(run, "works", sizes: [64, 1024], count: 2000)
        #expect(works.mappings == boots[2].mappings || works.mappings > 0, "\(works)")

        #expect(run.output.contains("ended with 1\n"), "\(run.output)")
        #expect(try run.file("pingpong-3").contains("the device is gone"), "\((try? run.file("pingpong-3")) ?? "")")
        #expect(run.output.contains("the function went"), "\(run.output)")
        #expect(run.output.contains("HugePages_Free:       64"), "all memory is given back")
        #expect(unplugged.mappings == works.mappings && unplugged.mappedByteCount == works.mappedByteCount, "\(works)\(unplugged)")
        #expect(unplugged.endpoints["nic0"]?.state == "blocked", "\(unplugged)")
    }
}
