import LabKit
import Testing

/// The relay in front of a real IOMMU: a guest plays the host, with QEMU's VT-d and two NICs at vfio-pci. A process takes the
/// place of a guest of that host: its memory, its IOMMU's driver and its NICs' drivers (Tests/RelayGuest).
@Suite(.serialized) struct RelayHostTests {
    private static let backends = ["iommufd", "type1"]

    /// Relay and client, with each backend in turn.
    private func script(_ ports: [String], mode: String) -> String {
        """
        mkdir -p /tmp/sockets
        for backend in \(Self.backends.joined(separator: " ")); do
            dmesg --clear
            relay-guest relay $backend /tmp/sockets \(ports.joined(separator: " ")) >/lab/results/relay-$backend 2>&1 &
            for _ in $(seq 200); do grep -q ready /lab/results/relay-$backend && break; sleep 0.1; done
            timeout 100 relay-guest \(mode) /tmp/sockets >/lab/results/client-$backend 2>&1 || echo failed >>/lab/results/client-$backend
            sleep 1
            dmesg >/lab/results/dmesg-$backend
            kill $!
            wait $! || true
            rm -f /tmp/sockets/*
        done
        """
    }

    /// The program itself, with an IOMMU of QEMU's in front, whose place a client takes.
    private func connectionScript(_ ports: [String]) -> String {
        """

        for backend in \(Self.backends.joined(separator: " ")); do
            dmesg --clear
            unic relay serve -v --viommu intel-iommu --directory /tmp/connections \
                \(ports.map { "--device vfio:\($0)?iommu=$backend" }.joined(separator: " ")) >/lab/results/serve-$backend 2>&1 &
            for _ in $(seq 200); do grep -q 'are served in' /lab/results/serve-$backend && break; sleep 0.1; done
            timeout 100 relay-guest connection /tmp/connections >/lab/results/connection-$backend 2>&1 ||
                echo failed >>/lab/results/connection-$backend
            sleep 1
            dmesg >/lab/results/connection-dmesg-$backend
            unic status /tmp/connections >/lab/results/connection-status-$backend 2>&1 || true
            kill $!
            wait $! || true
        done
        """
    }

    private func expectConnections(_ run: GuestRun, _ backend: String, _ ports: [String]) throws {
        let client = try run.file("connection-\(backend)")
        #expect(!client.lowercased().contains("failed"), "\(client)")
        for line in [
            "is mapped on both connections, to other memory",
            "400 frames with poll at the connections' addresses, and no message meanwhile",
            "400 frames with interrupt at the connections' addresses, and no message meanwhile", "nothing arrived after DMA_UNMAP",
        ] {
            #expect(client.contains(line), "\(line) is not in: \(client)")
        }
        let faults = try run.file("connection-dmesg-\(backend)").split(separator: "\n").filter { $0.contains("DMAR: [DMA") }
        let device = "[\(ports[0].dropFirst(5))] fault addr 0x1"
        #expect(faults.contains { $0.contains(device) }, "no fault of \(ports[0]) in: \(faults)")
        let status = try run.file("connection-status-\(backend)")
        #expect(status.contains("model: QEMU's intel-iommu") && status.contains("mappings: 0"), "\(status)")
    }

    /// One boot. Frames flow at addresses that only the relay mapped, the same ones in two domains; no message meanwhile; and
    /// what a guest took away the hardware does not reach, nor anything once the relay was killed.
    @Test func framesFlowThroughTheHostsIOMMUAndStopWithTheMapping() throws {
        let folder = try #require(Binaries.folder, "UNIC_BIN names no folder; run `make test`")
        var guest = Guest()
        guest.programs = ["\(folder)/relay-guest", "\(folder)/unic"]
        guest.kernel = .small
        guest.emulator = .backports
        guest.memoryMebibytes = 2048
        let ports = [NIC.e1000e.address(ofPort: 0), NIC.e1000e.address(ofPort: 1)]
        let killed = KilledRelay(backends: Self.backends, ports: ports)
        let run = try guest.run(
            script(ports, mode: "client") + connectionScript(ports) + killed.script, timeLimitSeconds: 600)
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output.suffix(2000)) \(run.errorOutput.suffix(2000))")
        for backend in Self.backends {
            let relay = try run.file("relay-\(backend)")
            #expect(relay.contains("VFIO by \(backend)"), "\(relay)")
            let client = try run.file("client-\(backend)")
            #expect(!client.lowercased().contains("failed"), "\(client)")
            for line in client.split(separator: "\n") where line.contains("config reads while") { print("\(backend): \(line)") }
            for line in [
                "config reads while 512 MiB are mapped", "config reads while all of the guest's memory is bypassed",
                "is mapped in both domains, to other memory", "1200 frames with poll, none lost, and no message meanwhile",
                "1200 frames with interrupt, none lost, and no message meanwhile", "nothing arrived after UNMAP",
            ] {
                #expect(client.contains(line), "\(line) is not in: \(client)")
            }
            // Intel VT-d's faults as the host's kernel tells them (drivers/iommu/intel/dmar.c), at the addresses of the mappings.
            let faults = try run.file("dmesg-\(backend)").split(separator: "\n").filter { $0.contains("DMAR: [DMA") }
            for port in ports {
                let device = "[\(port.dropFirst(5))] fault addr 0x1"
                #expect(faults.contains { $0.contains(device) }, "no fault of \(port) in: \(faults)")
            }
            try expectConnections(run, backend, ports)
        }
        try killed.expect(run)
    }

    /// One boot. Two NICs behind a conventional bridge are one group of the host.
    @Test func siblingsOfAHostGroupShareOneDomain() throws {
        let folder = try #require(Binaries.folder, "UNIC_BIN names no folder; run `make test`")
        var guest = Guest()
        guest.programs = ["\(folder)/relay-guest"]
        guest.kernel = .small
        guest.emulator = .backports
        guest.portCounts = [:]
        guest.emulatorArguments = ["-device", "pcie-pci-bridge,id=shared,addr=18"]
        for (index, port) in ["s0", "s1"].enumerated() {
            guest.emulatorArguments += ["-netdev", "hubport,id=\(port),hubid=90"]
            guest.emulatorArguments += ["-device", "e1000e,netdev=\(port),bus=shared,addr=\(index + 1),romfile="]
        }
        let ports = ["0000:01:01.0", "0000:01:02.0"]
        let head = """
            bind-vfio \(ports.joined(separator: " "))
            [ /sys/bus/pci/devices/\(ports[0])/iommu_group -ef /sys/bus/pci/devices/\(ports[1])/iommu_group ]

            """
        let run = try guest.run(head + script(ports, mode: "siblings"), timeLimitSeconds: 300)
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output.suffix(2000)) \(run.errorOutput.suffix(2000))")
        for backend in Self.backends {
            let client = try run.file("client-\(backend)")
            #expect(!client.lowercased().contains("failed"), "\(client)")
            for line in [
                "600 frames between siblings, none lost, and no message meanwhile", "the sibling goes on when the other one leaves",
            ] {
                #expect(client.contains(line), "\(line) is not in: \(client)")
            }
            let faults = try run.file("dmesg-\(backend)").split(separator: "\n").filter { $0.contains("DMAR: [DMA") }
            #expect(!faults.isEmpty, "no fault after UNMAP")
        }
    }
}
