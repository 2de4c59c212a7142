import Foundation
import LabKit
import Testing

/// Userspace drivers in a guest, through the guest's own VFIO and QEMU's IOMMU, on our models outside of it.
@Suite(.serialized) struct DriversInsideTests {
    private func guest(_ models: [ServedModel]) throws -> Guest {
        var guest = try Binaries.guest()
        guest.kernel = .small
        guest.emulator = .backports
        guest.portCounts = [:]
        guest.servedSockets = models.map(\.socket)
        return guest
    }

    /// Ours: every map of the guest is a message to the model's server, and no frame is.
    @Test(arguments: ["e1000e", "virtio-net"]) func unicRunsInsideOnAModelOutside(model: String) throws {
        let models = try (0..<2).map { _ in try ServedModel(model, wire: "inside") }
        let guest = try guest(models)
        let addresses = models.indices.map(guest.address(ofServed:))
        let backends = ["type1", "iommufd"]
        // A pause at each marker, for this side to ask the servers.
        let runs = backends.map { backend in
            let devices = addresses.map { "--device 'vfio:\($0)?iommu=\(backend)'" }.joined(separator: " ")
            return """
                pause before-\(backend)
                unic pingpong \(devices) --sizes 64,1024 --count 2000 --json >/lab/results/\(backend)
                pause after-\(backend)
                """
        }
        let running = try guest.start(
            """
            pause() { touch /lab/results/$1; until [ -e /lab/results/$1-seen ]; do sleep 0.05; done; }
            bind-vfio \(addresses.joined(separator: " "))

            """ + runs.joined(separator: "\n"), timeLimitSeconds: 200)
        for backend in backends {
            #expect(running.wait(for: "before-\(backend)", seconds: 150))
            let before = try models.map { try $0.status() }
            try running.leave("before-\(backend)-seen")
            var most = before
            while !running.wait(for: "after-\(backend)", seconds: 0), running.isRunning {
                for (index, model) in models.enumerated() {
                    let now = try model.status()
                    if now.maps > most[index].maps { most[index] = now }
                }
            }
            for (index, model) in models.enumerated() {
                // The kernel unmaps the last of it after the program has gone.
                let after = try model.status { $0.maps <= before[index].maps }
                let told = "\(backend): \(before[index]) \(most[index]) \(after)"
                // Both ports share an address space, so that each server sees the rings and the packets of both.
                let maps = most[index].maps - before[index].maps
                #expect(maps >= 4 && most[index].mappedByteCount >= before[index].mappedByteCount + 2 << 20, "\(told)")
                #expect(after.mapMessages >= before[index].mapMessages + maps, "\(told)")
                #expect(after.unmapMessages > before[index].unmapMessages, "\(told)")
                #expect(after.maps == before[index].maps && after.mappedByteCount == before[index].mappedByteCount, "\(told)")
            }
            try running.leave("after-\(backend)-seen")
        }
        let run = try running.finish()
        #expect(run.ending == .exited(0), "\(run.ending) \(run.errorOutput.suffix(3000))")
        for backend in backends {
            let all = try JSONSerialization.jsonObject(with: Data(run.file(backend).utf8)) as? [String: Any]
            #expect(all?["lost"] as? Int == 0 && all?["corrupt"] as? Int == 0)
            let results = all?["results"] as? [[String: Any]] ?? []
            #expect(results.map { $0["count"] as? Int } == [2000, 2000], "\(results)")
        }
        for model in models {
            let told = try model.finish()
            // 8,000 frames and more went each way.
            #expect(told["messages"] ?? .max < 6000 && told["failed commands"] == 0, "\(told)")
        }
    }

    /// DPDK's driver for the 82574L: what one port sends, the other receives, in both directions.
    @Test func testpmdDrivesTheModelOfThe82574L() throws {
        let models = try (0..<2).map { _ in try ServedModel("e1000e", wire: "testpmd") }
        var guest = try guest(models)
        guest.hasDPDK = true
        guest.processorCount = 2
        guest.hugepageCount = 128
        let addresses = models.indices.map(guest.address(ofServed:))
        let run = try guest.run(
            """
            bind-vfio \(addresses.joined(separator: " "))
            timeout -s INT 15 dpdk-testpmd -l 0-1 --in-memory --no-telemetry -m 64 \(addresses.map { "-a \($0)" }.joined(separator: " ")) \\
                -- --forward-mode=io --total-num-mbufs=4096 --tx-first --stats-period 1 >/lab/results/testpmd 2>&1 || true
            sed -nE 's/^ *RX-packets: +([0-9]+).*/\\1/p' /lab/results/testpmd | tail -n 2
            """, timeLimitSeconds: 150)
        #expect(run.ending == .exited(0), "\(run.ending) \(run.errorOutput.suffix(3000))")
        let received = run.output.split(separator: "\n").compactMap { Int($0) }
        // The first burst is 32 frames each way; these come back for ever.
        #expect(received.count == 2 && received.allSatisfy { $0 > 200 }, "\(received) \((try? run.file("testpmd").suffix(3000)) ?? "")")
        for model in models {
            let told = try model.finish()
            #expect(told["failed commands"] == 0 && told["broken connections"] == 0, "\(told)")
        }
    }

    /// A NIC is unplugged by QEMU's monitor under a running program: it is told, ends, and the NIC goes.
    @Test func aNICThatIsUnpluggedUnderTrafficEndsTheProgram() throws {
        let models = try (0..<2).map { _ in try ServedModel("e1000e", wire: "unplugged", options: ["--no-msix"]) }
        let guest = try guest(models)
        let addresses = models.indices.map(guest.address(ofServed:))
        let running = try guest.start(
            """
            bind-vfio \(addresses.joined(separator: " "))
            timeout 60 unic pingpong \(addresses.map { "--device vfio:\($0)" }.joined(separator: " ")) --sizes 64 --count 100000000 \
                >/lab/results/pingpong 2>&1 && echo "ended well" || echo "ended with $?" &
            for _ in $(seq 100); do [ $(ls /dev/shm/unic-0 2>/dev/null | wc -l) = 2 ] && break; sleep 0.3; done
            sleep 1
            touch /lab/results/in-use
            wait $!
            for _ in $(seq 100); do [ -e /sys/bus/pci/devices/\(addresses[0]) ] || break; sleep 0.1; done
            [ -e /sys/bus/pci/devices/\(addresses[0]) ] || echo "the function went"
            unic pingpong --device vfio:\(addresses[0]) --device vfio:\(addresses[1]) 2>&1 || true
            grep HugePages_Free: /proc/meminfo
            """, timeLimitSeconds: 150)
        #expect(running.wait(for: "in-use", seconds: 120))
        #expect(try running.monitor(#"{"execute":"device_del","arguments":{"id":"served0"}}"#).contains("return"))
        let run = try running.finish()
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output) \(run.errorOutput.suffix(3000))")
        #expect(run.output.contains("ended with 1"), "\(run.output)")
        #expect(try run.file("pingpong").contains("the device is gone"), "\((try? run.file("pingpong")) ?? "")")
        #expect(run.output.contains("the function went"))
        #expect(run.output.contains("there is no PCI function \(addresses[0])"), "\(run.output)")
        #expect(run.output.contains("HugePages_Free:       64"), "all memory is given back")
    }
}
