public import LinuxIO
import SystemPackage

/// All pools of this machine with their mounts, and a raise that a killed process left behind.
public struct HugepageReport: Sendable, Equatable, CustomStringConvertible {
    public struct Size: Sendable, Equatable {
        public let pool: HugepagePool
        /// The hugetlbfs mount that unlinked files go to; nil: memory files are used.
        public let mount: String?
    }

    public struct Leftover: Sendable, Equatable {
        public let pageByteCount: Int
        public let pageCount: Int
    }

    /// Ascending by page size. Empty on a kernel without hugepages.
    public let sizes: [Size]
    public let leftover: Leftover?

    public var description: String {
        if sizes.isEmpty { return "This kernel has no hugepages: DMA memory is made of ordinary pages." }
        var lines: [String] = []
        for size in sizes {
            let pool = size.pool
            lines.append(
                "\(HugepageReport.label(pool.pageByteCount)) pages: total \(pool.total), free \(pool.free), reserved \(pool.reserved), "
                    + "surplus \(pool.surplus), mount \(size.mount ?? "none")")
            for node in pool.nodes {
                lines.append("  node \(node.number): total \(node.total), free \(node.free), surplus \(node.surplus)")
            }
        }
        if let leftover {
            lines.append(
                "A killed process left \(leftover.pageCount) pages of \(HugepageReport.label(leftover.pageByteCount)) in the pool: "
                    + "unic hugepages --restore")
        }
        return lines.joined(separator: "\n")
    }

    static func label(_ byteCount: Int) -> String {
        if byteCount >= 1 << 30, byteCount & ((1 << 30) - 1) == 0 { return "\(byteCount >> 30) GiB" }
        if byteCount >= 1 << 20, byteCount & ((1 << 20) - 1) == 0 { return "\(byteCount >> 20) MiB" }
        return "\(byteCount >> 10) KiB"
    }
}

extension HugepageAllocator {
    /// The pools as they are now.
    public func report() -> HugepageReport {
        let sizes = Hugetlbfs.pageSizes().compactMap { size -> HugepageReport.Size? in
            guard let pool = try? files.pool(pageByteCount: size) else { return nil }
            return HugepageReport.Size(pool: pool, mount: Hugetlbfs.mount(pageByteCount: size))
        }
        return HugepageReport(sizes: sizes, leftover: leftover)
    }

    private var leftover: HugepageReport.Leftover? {
        guard let raise = ledger?.pending(), raise.boot == HugepageLedger.boot,
            let now = try? files.pool(pageByteCount: raise.pageByteCount).persistent
        else { return nil }
        let count = min(now - raise.from, raise.to - raise.from)
        return count > 0 ? HugepageReport.Leftover(pageByteCount: raise.pageByteCount, pageCount: count) : nil
    }

    /// Lowers a pool that a killed process left raised.
    func restore() throws(SystemCallError) -> HugepageReport.Leftover? {
        guard let ledger, ledger.exists else { return nil }
        let done = try ledger.withLock { () throws(SystemCallError) in try ledger.reclaim(files) }
        guard let done, done.pageCount > 0 else { return nil }
        return HugepageReport.Leftover(pageByteCount: done.raise.pageByteCount, pageCount: done.pageCount)
    }
}

extension HugepagePool {
    /// All pools as they are now. Changes nothing.
    public static func report() -> HugepageReport { HugepageAllocator(restoring: false).report() }

    /// Lowers a pool that a killed process left raised: what a new ``HugepageAllocator`` does, but with the result told.
    /// - Returns: what left the pool; nil when there was nothing to do.
    /// - Throws: EACCES when the record is another user's, EWOULDBLOCK when another process is adding pages for 10 s.
    public static func restore() throws(SystemCallError) -> HugepageReport.Leftover? { try HugepageAllocator(restoring: false).restore() }
}
