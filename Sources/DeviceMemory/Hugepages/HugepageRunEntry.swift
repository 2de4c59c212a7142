import CLinuxShims
import Glibc
import LinuxIO
import SystemPackage

/// Takes a physical run of pages out of hugepage memory, and gives the others back.
enum HugepageRun {
    /// nil: no run is long enough, and everything goes back with `allocation`.
    static func take(from allocation: borrowing HugepageAllocation, byteCount: Int) throws(ContiguousMemoryError) -> HugepageAllocation? {
        let size = allocation.memory.pageSize.rawValue
        let count = (byteCount - 1) / size + 1
        let addresses: [UInt64]
        do { addresses = try PhysicalAddresses.pages(of: allocation.memory) } catch { throw .addresses(error) }
        guard let run = ContiguousRun.find(addresses, count: count, pageByteCount: UInt64(size)) else { return nil }
        let outcome = allocation.outcome
        do {
            let file = try allocation.memory.file.duplicate()
            let pages = try map(run, of: file, pageByteCount: size)
            for index in addresses.indices where !run.contains(index) {
                // Pages that do not go back now do so with the file.
                _ = unic_punch_hole(file.number, index * size, size)
            }
            let memory = DMAMemory(
                file: file, fileOffset: run[0] * size, pages: pages, pageSize: allocation.memory.pageSize)
            return HugepageAllocation(
                memory: memory,
                outcome: HugepageOutcome(
                    byteCount: count * size, pageSize: outcome.pageSize, source: outcome.source, addedPageCount: outcome.addedPageCount,
                    notes: outcome.notes))
        } catch { throw .systemCall(error) }
    }

    /// Maps pages of a file one behind the other, in the order of `run`.
    private static func map(_ run: [Int], of file: borrowing OwnedDescriptor, pageByteCount size: Int) throws(SystemCallError)
        -> MappedPages
    {
        let byteCount = run.count * size
        // SAFETY: a fresh mapping at an address of the kernel's choice aliases nothing of ours.
        let reserved = unsafe mmap(nil, byteCount + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let reserved = unsafe reserved, unsafe reserved != MAP_FAILED else {
            throw SystemCallError(call: "mmap", subject: "\(byteCount + size) bytes of addresses", errno: Errno(rawValue: Glibc.errno))
        }
        // Rounded up to a page within the reserved ones, of which there is one page too many.
        let before = (size - Int(bitPattern: reserved) & (size - 1)) & (size - 1)
        // SAFETY: inside of what was reserved.
        let first = unsafe reserved + before
        // SAFETY: what was reserved in front and behind is ours, and nothing refers to it.
        if before > 0 { _ = unsafe munmap(reserved, before) }
        // SAFETY: as above.
        if before < size { _ = unsafe munmap(first + byteCount, size - before) }
        // SAFETY: `byteCount` reserved addresses from `first`, which this value alone owns from here on, also if a mapping fails.
        let pages = unsafe MappedPages(adopting: first, byteCount: byteCount)
        for (place, index) in run.enumerated() {
            // SAFETY: MAP_FIXED replaces reserved addresses of ours only.
            let mapped = unsafe mmap(
                pages.address + place * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, file.number, index * size
            )
            guard unsafe mapped != MAP_FAILED else {
                throw SystemCallError(call: "mmap", subject: "a hugepage at its place in a run", errno: Errno(rawValue: Glibc.errno))
            }
        }
        return pages
    }
}
