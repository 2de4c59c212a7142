import Glibc
public import LinuxIO
import SystemPackage

/// The size of the pages behind a piece of memory.
public enum PageSize: Int, Sendable, CaseIterable, Comparable {
    case base = 4096
    case huge2MiB = 2_097_152
    case huge1GiB = 1_073_741_824
    public static func < (a: PageSize, b: PageSize) -> Bool { a.rawValue < b.rawValue }
}

/// Memory that a device may be given: backed by a file, so that it can be mapped into an IOMMU or into a server's
/// process alike. Goes back to the kernel with its owner, also when the process is killed.
public struct DMAMemory: ~Copyable, Sendable {
    /// The file that backs it; `fileOffset` in it is the first byte.
    public let file: OwnedDescriptor
    public let fileOffset: Int
    public let pageSize: PageSize
    private let pages: MappedPages

    public init(file: consuming OwnedDescriptor, fileOffset: Int, pages: consuming MappedPages, pageSize: PageSize) {
        self.file = file
        self.fileOffset = fileOffset
        self.pages = pages
        self.pageSize = pageSize
    }

    /// Ordinary pages, zeroed, `byteCount` rounded up to whole ones.
    public static func ordinary(byteCount: Int, name: String = "unic-dma") throws(SystemCallError) -> DMAMemory {
        guard byteCount <= Int.max - 4095 else {
            throw SystemCallError(call: "ftruncate", subject: "\(name) to \(byteCount) bytes", errno: .fileTooLarge)
        }
        let rounded = (max(byteCount, 1) + 4095) & ~4095
        let file = try MemoryFile.create(name: name, byteCount: rounded)
        let pages = try MappedPages(sharing: file, byteCount: rounded, flags: MAP_POPULATE, subject: name)
        return DMAMemory(file: file, fileOffset: 0, pages: pages, pageSize: .base)
    }

    public var byteCount: Int { pages.byteCount }

    /// All of it. The caller keeps this value alive while it uses the window.
    public var window: MemoryWindow {
        // SAFETY: exactly the mapping that this value owns.
        unsafe MemoryWindow(pages.address, byteCount: pages.byteCount)
    }

    /// The first byte's address in this process, as the kernel wants it. A number: nobody goes through it.
    public var processAddress: UInt64 { window.processAddress }
}
