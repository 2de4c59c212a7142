public import LinuxIO

/// Which pages an allocation shall try first. All of them end at ordinary pages, with the reason told.
public enum HugepagePreference: Sendable, Equatable {
    /// 1 GiB pages for 512 MiB and more if some are reserved, else 2 MiB pages, else ordinary ones.
    case automatic
    /// Begins with pages of this size; `.base` asks for ordinary pages and is no fallback.
    case pages(PageSize)
}

/// What an allocation got and why it got nothing better. Printed as whole sentences.
public struct HugepageOutcome: Sendable, Equatable, CustomStringConvertible {
    /// Where the pages came from.
    public enum Source: Sendable, Equatable {
        /// An unlinked file on a hugetlbfs mount.
        case mount(String)
        /// A hugepage memfd, which needs no mount.
        case memoryFile
        case ordinaryPages
    }

    public let byteCount: Int
    public let pageSize: PageSize
    public let source: Source
    /// Pages that had to be added to the kernel's pool for this allocation. They leave it when the memory is freed.
    public let addedPageCount: Int
    /// Larger pages that were passed over, and a missing mount. Empty when the first choice was there.
    public let notes: [HugepageNote]

    /// Whether smaller pages were used than the request's first choice.
    public var fellBack: Bool { notes.contains { $0.reason.isShortage } }

    public var description: String {
        var text = "\(byteCount) bytes in \(byteCount / pageSize.rawValue) pages of \(pageSize.label)"
        switch source {
        case .mount(let path): text += " from the hugetlbfs mount \(path)"
        case .memoryFile: text += " from a memory file"
        case .ordinaryPages: break
        }
        if addedPageCount > 0 { text += ", \(addedPageCount) of them added to the pool" }
        return ([text + "."] + notes.map(\.description)).joined(separator: " ")
    }
}

/// One thing that was not as wished, with its remedy.
public struct HugepageNote: Sendable, Equatable, CustomStringConvertible {
    public enum Reason: Sendable, Equatable {
        /// The kernel has no pool of this size.
        case sizeUnknown
        /// No hugetlbfs mount that this process may write to; a memory file was used.
        case noMount
        /// The mount did not give the pages, for example because of a limit of its own; a memory file was used.
        case mountRefused(String, SystemCallError)
        /// Too few free pages, and no permission to add some.
        case mayNotAdd(needed: Int, available: Int, SystemCallError)
        /// Too few free pages, and this size is only reserved at boot.
        case reservedAtBootOnly(needed: Int, available: Int)
        /// The kernel made fewer pages than needed.
        case poolTooSmall(needed: Int, available: Int)
        /// Adding pages would take more than half of the memory that is left.
        case memoryShort(neededByteCount: Int, availableByteCount: Int)
        /// Another process is adding pages and did not end in time.
        case busy
        /// A call that should have worked did not.
        case refused(SystemCallError)

        /// Whether smaller pages had to be used.
        var isShortage: Bool {
            switch self {
            case .noMount, .mountRefused: false
            default: true
            }
        }
    }

    public let pageSize: PageSize
    public let reason: Reason

    public var description: String {
        let pages = "\(pageSize.label) pages"
        let mib = pageSize.rawValue >> 20
        let pool = "/sys/kernel/mm/hugepages/hugepages-\(pageSize.rawValue / 1024)kB/nr_hugepages"
        switch reason {
        case .sizeUnknown:
            return "No \(pages): this kernel or CPU has no such pool."
        case .noMount:
            return "No hugetlbfs mount for \(pages) is writable here, so a memory file is used; "
                + "`mount -t hugetlbfs -o pagesize=\(mib)M none DIRECTORY` makes one."
        case .mountRefused(let path, let error):
            return "The hugetlbfs mount \(path) gave no \(pages), so a memory file is used: \(error)"
        case .mayNotAdd(let needed, let available, let error):
            return "No \(pages): \(needed) needed, \(available) free, and none may be added (\(error)) "
                + "As root, `echo \(needed) > \(pool)` adds them."
        case .reservedAtBootOnly(let needed, let available):
            return "No \(pages): \(needed) needed, \(available) free. Reserve them with the kernel's boot parameters: "
                + "hugepagesz=\(mib >= 1024 ? "\(mib / 1024)G" : "\(mib)M") hugepages=\(needed)."
        case .poolTooSmall(let needed, let available):
            return "No \(pages): \(needed) needed, and the kernel could free only \(available), since memory is short or fragmented or "
                + "limited by a cgroup. Reserve them at boot: hugepagesz=\(mib)M hugepages=\(needed)."
        case .memoryShort(let needed, let available):
            return "No \(pages): \(needed) bytes would be more than half of the \(available) bytes of memory left. "
                + "Ask for less, or reserve them at boot: hugepagesz=\(mib)M hugepages=\((needed + pageSize.rawValue - 1) / pageSize.rawValue)."
        case .busy:
            return "No \(pages): another process has been adding hugepages for 10 s. Try again when it is done."
        case .refused(let error):
            return "No \(pages): \(error)"
        }
    }
}

extension PageSize {
    /// For people: `4 KiB`, `2 MiB`, `1 GiB`.
    public var label: String {
        switch self {
        case .base: "4 KiB"
        case .huge2MiB: "2 MiB"
        case .huge1GiB: "1 GiB"
        }
    }
}
