import CLinuxShims
import Glibc
public import LinuxIO
import SystemPackage

/// Memory for a device, and how it came to be.
@frozen public struct HugepageAllocation: ~Copyable, Sendable {
    public let memory: DMAMemory
    public let outcome: HugepageOutcome

    /// The memory alone.
    public consuming func takeMemory() -> DMAMemory { memory }
}

/// Gives DMA memory in the largest pages that fit, and says why when they are not the largest.
///
/// Pages are taken from the kernel's pool; where it is too small and this process may, it is raised for the moment of
/// the allocation. Every page is there when the call returns. All pages go back to where they came from when the memory
/// is freed or the process ends in whatever way.
public final class HugepageAllocator: Sendable {
    /// From here on 1 GiB pages are worth a look.
    public static let gigabytePagesFrom = 512 << 20

    let files: HugepageFiles
    let ledger: HugepageLedger?
    /// The moment in which a killed process leaves the pool raised: tests are killed here.
    private let afterRaise: @Sendable () -> Void

    /// Lowers a pool that a killed process left raised, if it may.
    public convenience init() {
        self.init(files: HugepageFiles(), ledger: HugepageLedger.standardDirectory.map { HugepageLedger(directory: $0) })
    }

    package convenience init(restoring: Bool = true, afterRaise: @escaping @Sendable () -> Void = {}) {
        self.init(
            files: HugepageFiles(), ledger: HugepageLedger.standardDirectory.map { HugepageLedger(directory: $0) },
            restoring: restoring, afterRaise: afterRaise)
    }

    init(
        files: HugepageFiles, ledger: HugepageLedger?, restoring: Bool = true, afterRaise: @escaping @Sendable () -> Void = {}
    ) {
        self.files = files
        self.afterRaise = afterRaise
        self.ledger = ledger
        // Without the right to lower a pool this start leaves it to one that has it; the report shows the record.
        if restoring, var ledger, ledger.pending() != nil {
            ledger.lockWaitMilliseconds = 0
            _ = try? ledger.withLock { () throws(SystemCallError) in try ledger.reclaim(files)?.pageCount }
        }
    }

    /// Memory of at least `byteCount` bytes, zeroed, in a shared file that another process can map too.
    ///
    /// - Parameters:
    ///   - byteCount: rounded up to whole pages of the size that is used.
    ///   - name: for memory files, as `/proc/PID/maps` shows it.
    /// - Throws: only when there are no ordinary pages either.
    public func allocate(
        byteCount: Int, preference: HugepagePreference = .automatic, name: String = "unic-dma"
    ) throws(SystemCallError) -> HugepageAllocation {
        var notes: [HugepageNote] = []
        for size in candidates(byteCount: byteCount, preference) {
            switch attempt(byteCount: max(byteCount, 1), size: size, name: name, notes: notes) {
            case .got(let allocation): return allocation
            case .passed(let reason): notes.append(HugepageNote(pageSize: size, reason: reason))
            }
        }
        let memory = try DMAMemory.ordinary(byteCount: byteCount, name: name)
        let outcome = HugepageOutcome(
            byteCount: memory.byteCount, pageSize: .base, source: .ordinaryPages, addedPageCount: 0, notes: notes)
        return HugepageAllocation(memory: memory, outcome: outcome)
    }

    private func candidates(byteCount: Int, _ preference: HugepagePreference) -> [PageSize] {
        switch preference {
        case .automatic: byteCount >= HugepageAllocator.gigabytePagesFrom ? [.huge1GiB, .huge2MiB] : [.huge2MiB]
        case .pages(.huge1GiB): [.huge1GiB, .huge2MiB]
        case .pages(.huge2MiB): [.huge2MiB]
        case .pages(.base): []
        }
    }

    private enum Attempt: ~Copyable {
        case got(HugepageAllocation)
        case passed(HugepageNote.Reason)
    }

    private func attempt(byteCount: Int, size: PageSize, name: String, notes: [HugepageNote]) -> Attempt {
        let (padded, overflow) = byteCount.addingReportingOverflow(size.rawValue - 1)
        guard let pool = try? files.pool(pageByteCount: size.rawValue) else { return .passed(.sizeUnknown) }
        guard !overflow else {
            return .passed(.memoryShort(neededByteCount: byteCount, availableByteCount: HugepageAllocator.memoryLeft))
        }
        let rounded = padded / size.rawValue * size.rawValue
        let needed = rounded / size.rawValue
        // The pool is asked even when it looks too small: it may be allowed to overcommit.
        do {
            return .got(try take(rounded, size, name, added: 0, notes))
        } catch {
            guard error.meansShortage else { return .passed(.refused(error)) }
        }
        if size == .huge1GiB { return .passed(.reservedAtBootOnly(needed: needed, available: pool.available)) }
        return takeFromRaisedPool(rounded, size, name, notes)
    }

    private func takeFromRaisedPool(_ byteCount: Int, _ size: PageSize, _ name: String, _ notes: [HugepageNote]) -> Attempt {
        let needed = byteCount / size.rawValue
        let seen = (try? files.pool(pageByteCount: size.rawValue).available) ?? 0
        do {
            _ = try OwnedDescriptor.open("\(files.directory(size.rawValue))/nr_hugepages", flags: O_WRONLY)
        } catch {
            return .passed(.mayNotAdd(needed: needed, available: seen, error))
        }
        guard let ledger else {
            let error = SystemCallError(call: "mkdir", subject: "a record (XDG_RUNTIME_DIR is not set)", errno: .noSuchFileOrDirectory)
            return .passed(.mayNotAdd(needed: needed, available: seen, error))
        }
        let left = HugepageAllocator.memoryLeft
        guard byteCount <= left / 2 else { return .passed(.memoryShort(neededByteCount: byteCount, availableByteCount: left)) }
        do {
            return try ledger.withLock { () throws(SystemCallError) -> Attempt in
                _ = try ledger.reclaim(files)
                return try raiseAndTake(byteCount, size, name, notes, ledger)
            }
        } catch {
            return .passed(error.errno == .wouldBlock ? .busy : .refused(error))
        }
    }

    /// Raises the pool by what is missing, takes the pages, and lowers it again: the pages in use become surplus.
    private func raiseAndTake(
        _ byteCount: Int, _ size: PageSize, _ name: String, _ notes: [HugepageNote], _ ledger: HugepageLedger
    ) throws(SystemCallError) -> Attempt {
        let needed = byteCount / size.rawValue
        let before = try files.pool(pageByteCount: size.rawValue)
        let missing = max(needed - before.available, 0)
        // Raising turns surplus pages into persistent ones first, so the target counts them too.
        let raise = HugepageLedger.Raise(
            pageByteCount: size.rawValue, from: before.persistent, to: before.total + missing, boot: HugepageLedger.boot)
        try ledger.write(raise)
        try files.setPersistent(raise.to, pageByteCount: size.rawValue)
        afterRaise()
        let raised = try files.pool(pageByteCount: size.rawValue)
        var result = Attempt.passed(.poolTooSmall(needed: needed, available: raised.available))
        if raised.available >= needed {
            do {
                result = .got(try take(byteCount, size, name, added: missing, notes))
            } catch {
                if !error.meansShortage { result = .passed(.refused(error)) }
            }
        }
        // A pool that cannot be lowered now keeps its record, for the next start or for restore().
        if (try? ledger.lower(raise, files)) != nil { ledger.clear() }
        return result
    }

    private func take(
        _ byteCount: Int, _ size: PageSize, _ name: String, added: Int, _ notes: [HugepageNote]
    ) throws(SystemCallError) -> HugepageAllocation {
        var notes = notes
        if let mount = Hugetlbfs.mount(pageByteCount: size.rawValue) {
            do {
                let file = try Hugetlbfs.unlinkedFile(pageByteCount: size.rawValue)
                return try finish(file, byteCount, size, .mount(mount), "a file on \(mount)", added, notes)
            } catch {
                // A mount may have a limit of its own (size=): a memory file has none.
                notes.append(HugepageNote(pageSize: size, reason: .mountRefused(mount, error)))
            }
        } else {
            notes.append(HugepageNote(pageSize: size, reason: .noMount))
        }
        let file = try Hugetlbfs.memoryFile(pageByteCount: size.rawValue, name: name)
        return try finish(file, byteCount, size, .memoryFile, name, added, notes)
    }

    private func finish(
        _ file: consuming OwnedDescriptor, _ byteCount: Int, _ size: PageSize, _ source: HugepageOutcome.Source, _ subject: String,
        _ added: Int, _ notes: [HugepageNote]
    ) throws(SystemCallError) -> HugepageAllocation {
        let pages = try Hugetlbfs.populate(file, byteCount: byteCount, subject: subject)
        if source == .memoryFile { try MemoryFile.seal(file, subject: subject) }
        let memory = DMAMemory(file: file, fileOffset: 0, pages: pages, pageSize: size)
        let outcome = HugepageOutcome(byteCount: byteCount, pageSize: size, source: source, addedPageCount: added, notes: notes)
        return HugepageAllocation(memory: memory, outcome: outcome)
    }

    /// Bytes that the kernel thinks it can give without swapping (proc(5), MemAvailable).
    static var memoryLeft: Int {
        guard let text = try? readSmallFile("/proc/meminfo"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return kilobytes * 1024
    }
}

extension SystemCallError {
    /// mmap(2) and fallocate(2) on hugepage files say either when the pool has too few pages.
    fileprivate var meansShortage: Bool { errno == .noMemory || errno == .noSpace }
}
