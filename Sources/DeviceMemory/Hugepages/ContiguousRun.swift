public import LinuxIO
import Synchronization

/// Pages that follow one another physically, out of many that lie anywhere.
enum ContiguousRun {
    /// - Parameter addresses: the physical address of each page of a file.
    /// - Returns: the indices of `count` of them, in the order in which they follow one another; nil if no run is that long.
    static func find(_ addresses: [UInt64], count: Int, pageByteCount: UInt64) -> [Int]? {
        guard count > 0 else { return nil }
        var run: [Int] = []
        for index in addresses.indices.sorted(by: { addresses[$0] < addresses[$1] }) {
            if let last = run.last, addresses[index] != addresses[last] &+ pageByteCount { run = [] }
            run.append(index)
            if run.count == count { return run }
        }
        return nil
    }
}

/// No memory in one physical piece.
public enum ContiguousMemoryError: Error, CustomStringConvertible {
    case noHugepages(HugepageOutcome)
    case noRun(byteCount: Int, searchedByteCount: Int)
    case addresses(PhysicalAddresses.Failure)
    case systemCall(SystemCallError)

    public var description: String {
        switch self {
        case .noHugepages(let outcome):
            "a device without an IOMMU needs hugepages. \(outcome.notes.map(\.description).joined(separator: " "))"
        case .noRun(let byteCount, let searched):
            "no \(byteCount) bytes follow one another physically among \(searched) bytes of hugepages: reserve them at boot (hugepages=64, or hugepagesz=1G hugepages=1), or use smaller rings"
        case .addresses(let failure): "\(failure). Run as root"
        case .systemCall(let error): error.description
        }
    }
}

extension HugepageAllocator {
    /// How many times the wanted memory is looked through for a run, before all free pages are.
    static let searchFactors = [1, 2, 4, 8]
    /// Bytes that are looked through at most.
    static let searchByteCount = 2 << 30
    /// Two that search at the same time would hide pages from each other.
    private static let searching = Mutex(())

    /// Memory that is one piece physically, for a device that no IOMMU serves.
    ///
    /// Its pages may stand in the file in another order than in memory: nobody else can map the file and see the same.
    public func allocateContiguous(byteCount: Int, name: String = "unic-dma") throws(ContiguousMemoryError) -> HugepageAllocation {
        try HugepageAllocator.searching.withLock { (_) throws(ContiguousMemoryError) -> HugepageAllocation in
            try search(byteCount: max(byteCount, 1), name: name)
        }
    }

    private func search(byteCount: Int, name: String) throws(ContiguousMemoryError) -> HugepageAllocation {
        var searched = 0
        let free = (try? files.pool(pageByteCount: PageSize.huge2MiB.rawValue).available) ?? 0
        let tries =
            HugepageAllocator.searchFactors.map { byteCount.multipliedReportingOverflow(by: $0) }
            .filter { !$0.overflow }.map(\.partialValue) + [free &* PageSize.huge2MiB.rawValue]
        for wanted in tries where wanted > searched && wanted <= max(HugepageAllocator.searchByteCount, byteCount) {
            let allocation: HugepageAllocation
            do { allocation = try allocate(byteCount: wanted, name: name) } catch { throw .systemCall(error) }
            guard allocation.outcome.pageSize > .base else {
                if wanted == byteCount { throw .noHugepages(allocation.outcome) }
                continue
            }
            searched = allocation.outcome.byteCount
            if let found = try HugepageRun.take(from: allocation, byteCount: byteCount) { return found }
        }
        let gigabyte: HugepageAllocation
        do { gigabyte = try allocate(byteCount: byteCount, preference: .pages(.huge1GiB), name: name) } catch { throw .systemCall(error) }
        if gigabyte.outcome.pageSize == .huge1GiB, let found = try HugepageRun.take(from: gigabyte, byteCount: byteCount) { return found }
        throw .noRun(byteCount: byteCount, searchedByteCount: searched)
    }
}
