import LabKit
import Testing

/// VFIO's interfaces as a guest's kernel has them: which is chosen, what each refusal says, and what comes back. Frames
/// over each of them are in the matrix.
@Suite(.serialized) struct BackendTests {
    private let ports = [NIC.e1000e.address(ofPort: 0), NIC.e1000e.address(ofPort: 1)]

    /// Two more NICs on a conventional bus: bridge and both are one IOMMU group.
    private static let sharedGroup = ["0000:01:01.0", "0000:01:02.0"]

    /// Taken out of the machine while a program uses them.
    private let removed = [NIC.e1000e, .virtioNet]

    private func guest() throws -> Guest {
        var guest = try Binaries.guest()
        guest.kernel = .small
        guest.hugepageCount = 64
        return guest
    }

    /// Runs a script; each step's output, standard error in it, stands in a file under its name.
    private func run(_ guest: Guest, _ script: String, seconds: Int) throws -> (String) throws -> String {
        let head = """
            step() { name=$1; shift; "$@" >"/lab/results/$name" 2>&1 || echo "failed" >>"/lab/results/$name"; }

            """
        let run = try guest.run(head + script, timeLimitSeconds: seconds)
        #expect(run.ending == .exited(0), "\(run.ending) \(run.output.suffix(2000)) \(run.errorOutput.suffix(2000))")
        return { try run.file($0) }
    }

    private func expect(_ text: String, has parts: [String], fails: Bool, _ location: SourceLocation = #_sourceLocation) {
        for part in parts { #expect(text.contains(part), "\(part) is not in: \(text)", sourceLocation: location) }
        #expect(text.hasSuffix("failed\n") == fails, "\(text)", sourceLocation: location)
    }

    /// One boot: unic chooses by itself, as root and as a user who was given one file after the other; limits of the kernel.
    @Test func theChoiceFollowsWhatTheUserMayOpen() throws {
        let script = """
            pair="--device vfio:\(ports[0]) --device vfio:\(ports[1]) --sizes 64 --count 200 --warmup 20"
            user="/usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups $(command -v unic) pingpong -v $pair"
            limit=/sys/module/vfio_iommu_type1/parameters/dma_entry_limit
            step root unic pingpong -v $pair
            step nothing $user
            chown 65534 /dev/vfio/devices/*
            step half $user
            chown 65534 /dev/iommu
            ulimit -l 1024
            step locked $user
            ulimit -l unlimited
            step whole $user
            chown 0 /dev/iommu
            chown 65534 /dev/vfio/3 /dev/vfio/4
            step type1 $user
            echo 1 >$limit
            step one unic pingpong --device vfio:\(ports[0])?iommu=type1 --device vfio:\(ports[1])?iommu=type1 --sizes 64 --count 20
            echo 2 >$limit
            step two unic pingpong --device vfio:\(ports[0])?iommu=type1 --device vfio:\(ports[1])?iommu=type1 --sizes 64 --count 20
            echo 65535 >$limit
            step none unic pingpong --device vfio:\(ports[0])?iommu=noiommu --device vfio:\(ports[1]) --count 20
            remove() {
                (timeout 90 unic pingpong --device vfio:$2 --device vfio:$3 --sizes 64 --count 100000000 \\
                    >/lab/results/removed-$1 2>&1 || echo failed >>/lab/results/removed-$1) &
                for _ in $(seq 100); do [ "$(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c devices/vfio)" -ge 2 ] && break; sleep 0.1; done
                sleep 4
                echo 1 >/sys/bus/pci/devices/$2/remove
                wait
                [ ! -e /sys/bus/pci/devices/$2 ] && grep HugePages_Free /proc/meminfo >/lab/results/after-$1
            }
            \(removed.map { "remove \($0.rawValue) \($0.address(ofPort: 0)) \($0.address(ofPort: 1))" }.joined(separator: "\n"))
            """
        var guest = try guest()
        guest.portCounts = Dictionary(uniqueKeysWithValues: removed.map { ($0, 2) })
        let file = try run(guest, script, seconds: 400)
        expect(try file("root"), has: ["VFIO by iommufd (/dev/vfio/devices/vfio0, /dev/iommu, IOMMU group 3)"], fails: false)
        expect(
            try file("nothing"), has: ["chown USER /dev/vfio/devices/vfio0; chown USER /dev/iommu", "chown USER /dev/vfio/3"], fails: true)
        expect(try file("half"), has: ["may not open /dev/iommu (it belongs to user 0"], fails: true)
        expect(
            try file("locked"), has: ["IOMMU_IOAS_MAP in IOMMU group", "RLIMIT_MEMLOCK, which is 1024 KiB", "ulimit -l unlimited"],
            fails: true)
        expect(try file("whole"), has: ["VFIO by iommufd"], fails: false)
        expect(
            try file("type1"), has: ["VFIO by type1 (/dev/vfio/3, /dev/vfio/vfio", "not iommufd", "may not open /dev/iommu"], fails: false)
        // A port with one queue pair needs two mappings and no more.
        expect(try file("one"), has: ["dma_entry_limit", "errno 28"], fails: true)
        expect(try file("two"), has: ["lost"], fails: false)
        expect(try file("none"), has: ["has an IOMMU (group 3)"], fails: true)
        for nic in removed {
            expect(try file("removed-\(nic.rawValue)"), has: ["the device is gone", nic.address(ofPort: 0)], fails: true)
            #expect(try file("after-\(nic.rawValue)").contains(" 64\n"), "\(nic.rawValue): hugepages are missing")
        }
    }

    /// One boot: functions that the IOMMU cannot tell apart, in one process and in two.
    @Test func functionsOfOneGroupShareAnAddressSpaceWithinAProcess() throws {
        var guest = try guest()
        guest.emulatorArguments = ["-device", "pcie-pci-bridge,id=shared,addr=18"]
        for (index, port) in ["s0", "s1"].enumerated() {
            guest.emulatorArguments += ["-netdev", "hubport,id=\(port),hubid=90"]
            guest.emulatorArguments += ["-device", "e1000e,netdev=\(port),bus=shared,addr=\(index + 1),romfile="]
        }
        let both = Self.sharedGroup
        let script = """
            bind-vfio \(both.joined(separator: " "))
            [ /sys/bus/pci/devices/\(both[0])/iommu_group -ef /sys/bus/pci/devices/\(both[1])/iommu_group ]
            for backend in iommufd type1; do
                step together-$backend unic pingpong -v --device "vfio:\(both[0])?iommu=$backend" --device "vfio:\(both[1])?iommu=$backend" \\
                    --sizes 64,1024 --count 300 --warmup 20
            done
            step again unic pingpong --device vfio:\(both[0]) --device vfio:\(both[1]) --sizes 64 --count 100 --interrupts
            step twice unic pingpong --device vfio:\(both[0]) --device vfio:\(both[0].dropFirst(5)) --count 10
            unic pingpong --server --wait 100 --interrupts --device vfio:\(both[0]) >/dev/null 2>&1 &
            for _ in $(seq 100); do [ "$(ls -l /proc/$!/fd 2>/dev/null | grep -c devices/vfio)" -ge 1 ] && break; sleep 0.1; done
            sleep 1
            step other unic pingpong --client --device vfio:\(both[1]) --count 10
            kill -INT $!
            wait $! || true
            """
        let file = try run(guest, script, seconds: 300)
        for backend in ["iommufd", "type1"] {
            let text = try file("together-\(backend)")
            expect(text, has: ["VFIO by \(backend)", "IOVA 0x0…", "e1000e"], fails: false)
            // The second one's windows begin elsewhere.
            let windows = Set(
                text.split(separator: "\n").filter { $0.contains("VFIO by") }.compactMap { $0.split(separator: ", ").dropFirst(3).first })
            #expect(windows.count == 2, "\(text)")
        }
        expect(try file("again"), has: ["interrupts"], fails: false)
        expect(try file("twice"), has: ["this process has it open already"], fails: true)
        expect(try file("other"), has: ["in use: by unic (pid ", "Nor by type1"], fails: true)
    }

    /// One boot without an IOMMU: only when asked for, with a warning, and only from memory that is one piece.
    @Test func withoutAnIOMMUADeviceIsUsedOnlyWhenAskedFor() throws {
        var guest = try guest()
        guest.iommu = .none
        guest.allowsNoIOMMU = true
        guest.hugepageCount = 128
        let script = """
            plain="--device vfio:\(ports[0]) --device vfio:\(ports[1])"
            named="--device vfio:\(ports[0])?iommu=noiommu --device vfio:\(ports[1])?iommu=noiommu"
            step unasked unic pingpong $plain --sizes 64 --count 20
            step named unic pingpong -v $named --sizes 64 --count 300
            step allowed unic pingpong --allow-noiommu $plain --sizes 64,8000 --count 100 --interrupts
            step generate unic generate --allow-noiommu --device vfio:\(ports[0]) --count 100
            step user /usr/bin/setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v unic)" pingpong $named --sizes 64 --count 20
            cat /proc/sys/kernel/tainted >/lab/results/tainted
            ls /dev/vfio >/lab/results/nodes
            ls /sys/bus/pci/devices/\(ports[0])/vfio-dev/* >>/lab/results/nodes
            grep HugePages_Free /proc/meminfo >/lab/results/after
            """
        let file = try run(guest, script, seconds: 300)
        expect(try file("unasked"), has: ["no-IOMMU mode", "iommu=noiommu or --allow-noiommu"], fails: true)
        expect(
            try file("named"),
            has: ["VFIO by noiommu (/dev/vfio/noiommu-0", "physical addresses", "WITHOUT AN IOMMU", "all of this machine's memory"],
            fails: false)
        expect(try file("allowed"), has: ["WITHOUT AN IOMMU", "8000"], fails: false)
        expect(try file("generate"), has: ["warning: vfio:\(ports[0]) runs WITHOUT AN IOMMU"], fails: false)
        expect(try file("user"), has: ["/dev/vfio/noiommu-0"], fails: true)
        // TAINT_USER, bit 6 (Documentation/admin-guide/tainted-kernels.rst).
        let taint = try #require(Int(file("tainted").split(separator: "\n").first ?? ""))
        #expect(taint & 64 != 0, "the warning says that the kernel is tainted")
        // Linux 6.12 gives such a device no file of its own (drivers/vfio/vfio.h, vfio_device_add); a kernel that does wants a backend.
        let nodes = try file("nodes").split(separator: "\n")
        #expect(nodes.contains("noiommu-0") && !nodes.contains("devices") && !nodes.contains("dev"), "\(nodes)")
        #expect(try file("after").contains("128"), "hugepages are missing")
    }
}
