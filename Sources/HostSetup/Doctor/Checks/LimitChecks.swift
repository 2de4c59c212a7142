import DeviceMemory
import LinuxIO

/// How much memory, in which pages, and in how many pieces, a device can be given.
enum LimitChecks {
    static func findings(_ facts: HostFacts, _ functions: [PCIFunction]) -> [Finding] {
        [lockedMemory(facts.caller)] + hugepages(facts.hugepages, functions) + mappings(facts.vfio)
    }

    private static func lockedMemory(_ caller: CallerFacts) -> Finding {
        if caller.mayLockAnything { return .ok(.memlock, "\(caller.user.name) may lock any amount of memory.") }
        guard let limit = caller.lockedMemoryLimit else {
            return .ok(.memlock, "\(caller.user.name) has no limit of locked memory.")
        }
        let text = "\(caller.user.name) may lock \(limit >> 10) KiB of memory (RLIMIT_MEMLOCK)"
        guard !caller.canLockEnough else { return .ok(.memlock, "\(text).") }
        return .problem(
            .memlock, "\(text); packets and rings want up to \(CallerFacts.wantedLockedMemory >> 10) KiB.",
            fix: "prlimit --pid \(caller.shell) --memlock=unlimited",
            advice:
                "The command is for this shell. For good: `\(caller.user.shellName) - memlock unlimited` in /etc/security/limits.d/unic.conf, LimitMEMLOCK=infinity in a service, --ulimit memlock=-1 in a container."
        )
    }

    private static func hugepages(_ pools: [HugepagePool], _ functions: [PCIFunction]) -> [Finding] {
        guard !pools.isEmpty else { return [.note(.hugepages, "This kernel has no hugepages: packets lie in pages of 4 KiB.")] }
        let sizes = pools.map { pool in
            let nodes = pool.nodes.count > 1 ? " (" + pool.nodes.map { "node \($0.number): \($0.free)" }.joined(separator: ", ") + ")" : ""
            return "\(label(pool.pageByteCount)): \(pool.available) free of \(pool.total)\(nodes)"
        }
        let text = "Pages of " + sizes.joined(separator: "; ") + "."
        guard pools.contains(where: { $0.available > 0 }) else {
            guard let pool = pools.first(where: { $0.pageByteCount == 2 << 20 }) else { return [.note(.hugepages, text)] }
            return [
                .note(
                    .hugepages, "\(text) None is free: packets lie in pages of 4 KiB, unless unic may add some.",
                    fix: "echo \(pool.total + 64) > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
            ]
        }
        return [.ok(.hugepages, text)] + functions.compactMap { farAway(pools, $0) }
    }

    /// A NIC whose own NUMA node has no free page.
    private static func farAway(_ pools: [HugepagePool], _ function: PCIFunction) -> Finding? {
        guard let node = function.numaNode, let pool = pools.first(where: { $0.pageByteCount == 2 << 20 }), pool.nodes.count > 1,
            let part = pool.nodes.first(where: { $0.number == node }), part.free == 0
        else { return nil }
        return .note(
            .hugepages, device: "\(function.address)", "\(function.title) is on NUMA node \(node), which has no free page of 2 MiB.",
            fix: "echo \(part.total + 64) > /sys/devices/system/node/node\(node)/hugepages/hugepages-2048kB/nr_hugepages")
    }

    private static func label(_ byteCount: Int) -> String {
        byteCount >= 1 << 30 ? "\(byteCount >> 30) GiB" : byteCount >= 1 << 20 ? "\(byteCount >> 20) MiB" : "\(byteCount >> 10) KiB"
    }

    /// A queue pair takes two mappings, rings and packets.
    private static let wantedMappings = 64

    private static func mappings(_ vfio: VFIOFacts) -> [Finding] {
        guard let limit = vfio.dmaEntryLimit else { return [] }
        let text = "A container may hold \(limit) mappings (dma_entry_limit)"
        guard limit < wantedMappings else { return [.ok(.dmaLimit, "\(text).")] }
        return [
            .problem(
                .dmaLimit, "\(text); ports with many queues take up to \(wantedMappings).",
                fix: "echo 65535 > /sys/module/vfio_iommu_type1/parameters/dma_entry_limit")
        ]
    }
}

extension UserAccount {
    /// For a command: the name if a shell takes it as it stands, else the number.
    var shellName: String {
        let isPlain = name.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
        return isPlain && !name.isEmpty && !name.hasPrefix("-") ? name : "\(identifier)"
    }
}
