import Glibc
public import LinuxIO

/// Where this process's memory lies physically: what a device sees when no IOMMU translates.
///
/// /proc/self/pagemap has 8 bytes for each 4 KiB of addresses: bit 63 says that a page is there, bits 0 to 54 which one;
/// without CAP_SYS_ADMIN the number reads as 0 (Documentation/admin-guide/mm/pagemap.rst).
public enum PhysicalAddresses {
    public enum Failure: Error, CustomStringConvertible {
        case unreadable(SystemCallError)
        /// The kernel hides the numbers.
        case hidden
        case notThere(offset: Int)
        /// Ordinary pages are moved at the kernel's will.
        case mayMove
        /// In more than one piece.
        case scattered(offset: Int)

        public var description: String {
            switch self {
            case .unreadable(let cause): "physical addresses cannot be read: \(cause)"
            case .hidden: "the kernel hides physical addresses (/proc/self/pagemap) from processes without CAP_SYS_ADMIN"
            case .notThere(let offset): "no page is there at byte \(offset)"
            case .mayMove: "the memory is in ordinary pages, which the kernel may move at any time"
            case .scattered(let offset): "the memory is not one piece physically: another one begins at byte \(offset)"
            }
        }
    }

    /// The one physical range of memory in hugepages, which stay where they are.
    public static func range(of memory: borrowing DMAMemory) throws(Failure) -> IOVARange {
        guard memory.pageSize > .base else { throw .mayMove }
        let pages = try pages(of: memory)
        let size = UInt64(memory.pageSize.rawValue)
        for (index, page) in pages.enumerated() where page != pages[0] &+ UInt64(index) &* size {
            throw .scattered(offset: index * memory.pageSize.rawValue)
        }
        guard let first = pages.first, let range = IOVARange(start: IOVA(first), byteCount: UInt64(memory.byteCount)) else {
            throw .notThere(offset: 0)
        }
        return range
    }

    /// The physical address of each page, in pages of the memory's own size.
    static func pages(of memory: borrowing DMAMemory) throws(Failure) -> [UInt64] {
        let pagemap: OwnedDescriptor
        do { pagemap = try OwnedDescriptor.open("/proc/self/pagemap", flags: O_RDONLY) } catch { throw .unreadable(error) }
        var addresses: [UInt64] = []
        for offset in stride(from: 0, to: memory.byteCount, by: memory.pageSize.rawValue) {
            let entry: [UInt8]
            do {
                let at = (memory.processAddress + UInt64(offset)) / 4096 * 8
                entry = try pagemap.read(byteCount: 8, at: Int64(clamping: at), subject: "/proc/self/pagemap")
            } catch { throw .unreadable(error) }
            addresses.append(try address(inEntry: entry.reversed().reduce(0) { $0 << 8 | UInt64($1) }, offset: offset))
        }
        return addresses
    }

    /// What an entry of pagemap says.
    static func address(inEntry entry: UInt64, offset: Int) throws(Failure) -> UInt64 {
        guard entry >> 63 == 1 else { throw .notThere(offset: offset) }
        let frame = entry & (1 << 55 - 1)
        guard frame != 0 else { throw .hidden }
        return frame << 12
    }
}
