import LinuxIO
import SystemPackage

/// The kernel's pool of hugepages of one size, as it is now
/// (Documentation/admin-guide/mm/hugetlbpage.rst, "/sys/kernel/mm/hugepages").
public struct HugepagePool: Sendable, Equatable {
    /// The part of a pool on one NUMA node. The kernel counts reservations for the whole pool only.
    public struct Node: Sendable, Equatable {
        public let number: Int
        public let total: Int
        public let free: Int
        public let surplus: Int
    }

    public let pageByteCount: Int
    /// Pages in the pool, surplus ones too.
    public let total: Int
    /// Pages that back nothing. `reserved` of them are promised to mappings already.
    public let free: Int
    public let reserved: Int
    /// Pages above the pool's persistent size: they leave the pool when they are freed.
    public let surplus: Int
    public let nodes: [Node]

    /// Free pages that nobody was promised.
    public var available: Int { max(free - reserved, 0) }
    /// What was written to `nr_hugepages`: pages that stay when they are freed.
    public var persistent: Int { max(total - surplus, 0) }
}

extension HugepagePool {
    /// The pools that a tree of sysfs shows, ascending by page size.
    package static func pools(sysRoot: String = "/sys") -> [HugepagePool] {
        let names = (try? directoryEntryNames("\(sysRoot)/kernel/mm/hugepages")) ?? []
        let sizes = names.compactMap { name -> Int? in
            guard name.hasPrefix("hugepages-"), name.hasSuffix("kB"), let size = Int(name.dropFirst(10).dropLast(2)), size > 0 else {
                return nil
            }
            let (bytes, overflow) = size.multipliedReportingOverflow(by: 1024)
            return overflow ? nil : bytes
        }
        return sizes.sorted().compactMap { try? HugepageFiles(sysRoot: sysRoot).pool(pageByteCount: $0) }
    }
}

/// Where the kernel shows its pools. Tests give another tree.
struct HugepageFiles: Sendable {
    var sysRoot = "/sys"

    func directory(_ pageByteCount: Int) -> String { "\(sysRoot)/kernel/mm/hugepages/hugepages-\(pageByteCount / 1024)kB" }

    func pool(pageByteCount: Int) throws(SystemCallError) -> HugepagePool {
        let directory = directory(pageByteCount)
        return HugepagePool(
            pageByteCount: pageByteCount, total: try number("\(directory)/nr_hugepages"), free: try number("\(directory)/free_hugepages"),
            reserved: try number("\(directory)/resv_hugepages"), surplus: try number("\(directory)/surplus_hugepages"),
            nodes: nodes(pageByteCount))
    }

    /// Sets the pool's persistent size. The kernel may make fewer pages than asked for, without an error.
    func setPersistent(_ count: Int, pageByteCount: Int) throws(SystemCallError) {
        try writeSmallFile("\(directory(pageByteCount))/nr_hugepages", "\(count)\n")
    }

    private func nodes(_ pageByteCount: Int) -> [HugepagePool.Node] {
        // A kernel without NUMA has no such directory; its pool has no parts then.
        guard let online = try? readSmallFile("\(sysRoot)/devices/system/node/online") else { return [] }
        return HugepageFiles.numbers(inList: online).compactMap { node in
            let directory = "\(sysRoot)/devices/system/node/node\(node)/hugepages/hugepages-\(pageByteCount / 1024)kB"
            guard let total = try? number("\(directory)/nr_hugepages"), let free = try? number("\(directory)/free_hugepages"),
                let surplus = try? number("\(directory)/surplus_hugepages")
            else { return nil }
            return HugepagePool.Node(number: node, total: total, free: free, surplus: surplus)
        }
    }

    private func number(_ path: String) throws(SystemCallError) -> Int {
        let text = try readSmallFile(path)
        guard let value = Int(text.prefix { !$0.isWhitespace }) else {
            throw SystemCallError(call: "read", subject: "\(path) (no number)", errno: .invalidArgument)
        }
        return value
    }

    /// The kernel's list format: `0-2,5`.
    static func numbers(inList text: String) -> [Int] {
        text.prefix { !$0.isWhitespace }.split(separator: ",").flatMap { part -> [Int] in
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first >= 0, first <= last, last < 4096 else { return [] }
            return Array(first...last)
        }
    }
}
