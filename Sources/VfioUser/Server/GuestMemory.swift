import CLinuxShims
import DeviceMemory
import Glibc
import LinuxIO
import SystemPackage

/// The client's memory: what it mapped for DMA, and the files behind it. A file is mapped once a permission, whole,
/// however many DMA_MAPs name it: behind an IOMMU of the client each page is one.
final class GuestMemory {
    /// A mapping each costs the kernel memory; vm.max_map_count is 65530 by default, and the process needs some itself.
    static let maximumFiles = 4096
    /// QEMU sends a handful without a descriptor: its ROMs, and BARs of other devices.
    static let maximumIndirectRanges = 1024
    /// Descriptors that are kept: a process has 1024 of them by default, and QEMU's memory is one file, or one a NUMA node.
    static let maximumKeptFiles = 64

    private struct FileKey: Hashable {
        let device: UInt64
        let inode: UInt64
        let access: DMAAccess
    }

    private final class SharedFile {
        let key: FileKey
        let mapping: GuardedMapping
        let byteCount: UInt64
        /// For who shows it to others.
        let kept: SharedDescriptor?
        /// Its place in `files`, and the tag of its entries in the space.
        let number: Int
        var users = 0

        init(key: FileKey, mapping: GuardedMapping, byteCount: UInt64, number: Int, kept: SharedDescriptor?) {
            self.kept = kept
            self.key = key
            self.mapping = mapping
            self.byteCount = byteCount
            self.number = number
        }
    }

    private let space: DMASpace
    private let requiresSealedMemory: Bool
    private let keepsFiles: Bool
    /// By number; nil where one has gone.
    private var files: [SharedFile?] = []
    /// The newest mapping of each file. A file that grew has an older one as long as a range uses it.
    private var newest: [FileKey: SharedFile] = [:]
    private var seenErrorCount = GuardedPages.errorCount
    /// Ranges that cannot be mapped, reserved in the space.
    private let indirect = IndirectRanges()

    init(space: DMASpace, requiresSealedMemory: Bool, keepsFiles: Bool = false) {
        self.keepsFiles = keepsFiles
        self.space = space
        self.requiresSealedMemory = requiresSealedMemory
        space.indirect = indirect
        if keepsFiles { space.files = self }
    }

    /// Called when a range came or went, before the client hears of it.
    var changed: (() -> Void)?

    /// Whom to ask for memory without a file.
    var owner: ClientChannel? {
        get { indirect.owner }
        set { indirect.owner = newValue }
    }

    /// What the client takes in one command of ours.
    var maximumTransferByteCount: Int {
        get { indirect.maximumTransferByteCount }
        set { indirect.maximumTransferByteCount = max(newValue, 1) }
    }

    /// Looks whether the client made a file shorter that is mapped here; why it cannot be served any longer then.
    func findBrokenFile() -> String? {
        guard GuardedPages.errorCount != seenErrorCount else { return nil }
        seenErrorCount = GuardedPages.errorCount
        guard space.hasBrokenWindow || files.contains(where: { $0?.mapping.isBroken == true }) else { return nil }
        return "the client made a file shorter that it had mapped for DMA"
    }

    /// What of a range a device may have written: all that it was permitted to write, since models write to memory directly.
    func writableRanges(in range: IOVARange) -> [IOVARange] {
        space.entries(in: range).filter { $0.access.contains(.write) }.map(\.range) + indirect.writable(in: range)
    }

    var maximumRanges: Int { space.maximumEntries }
    var rangeCount: Int { space.count }
    var mappedByteCount: UInt64 { space.mappedByteCount }
    /// Counted along the way: it is read each time that the server goes to sleep.
    private(set) var fileCount = 0

    /// - Returns: whether it can be reached without asking anybody.
    @discardableResult
    func map(_ message: DMAMapMessage, descriptor: consuming OwnedDescriptor?) throws(CommandFailure) -> Bool {
        let range = message.range
        guard range.start.rawValue & 4095 == 0, range.byteCount & 4095 == 0, message.fileOffset & 4095 == 0 else {
            throw CommandFailure(.invalidArgument, "DMA_MAP of \(range) at file offset \(message.fileOffset) is not made of whole pages")
        }
        // "A command to map over an existing region must be failed with EEXIST."
        guard space.isFree(range) else { throw CommandFailure(.fileExists, "DMA_MAP of \(range) overlaps another one") }
        guard let descriptor else {
            try mapIndirect(message, file: nil)
            return false
        }
        guard message.access != [] else { throw CommandFailure(.invalidArgument, "DMA_MAP of \(range) permits nothing") }
        if message.usesFileIO {
            _ = try judge(descriptor.number, for: message)
            try mapIndirect(message, file: descriptor)
            return false
        }
        let file = try sharedFile(for: message, descriptor: descriptor)
        let window = file.mapping.window.slice(at: Int(message.fileOffset), byteCount: Int(range.byteCount))
        do throws(DMASpace.MapError) {
            try space.map(range, to: window, access: message.access, tag: UInt32(file.number))
        } catch {
            forgetIfUnused(file)
            throw CommandFailure(error, range)
        }
        file.users += 1
        changed?()
        return true
    }

    /// Whether ``unmap(_:)`` would remove whole ranges.
    func checkUnmap(_ range: IOVARange) throws(CommandFailure) {
        guard !space.cuts(range) else {
            throw CommandFailure(.invalidArgument, "DMA_UNMAP of \(range) would cut a mapping in two")
        }
    }

    /// Removes all that lies inside of a range; one with nothing in it is fine, clients send whole windows.
    func unmap(_ range: IOVARange) throws(CommandFailure) {
        guard let removed = space.unmap(range) else {
            throw CommandFailure(.invalidArgument, "DMA_UNMAP of \(range) would cut a mapping in two")
        }
        if !removed.isEmpty { changed?() }
        for entry in removed { release(entry) }
    }

    func unmapAll() {
        space.unmapAll()
        changed?()
        files = []
        newest = [:]
        fileCount = 0
        indirect.removeAll()
    }

    private func release(_ entry: DMASpace.Entry) {
        if entry.isReserved {
            indirect.remove(entry.range.start)
        } else if let file = files[Int(entry.tag)] {
            file.users -= 1
            forgetIfUnused(file)
        }
    }

    private func forgetIfUnused(_ file: SharedFile) {
        guard file.users == 0 else { return }
        files[file.number] = nil
        fileCount -= 1
        if newest[file.key] === file { newest[file.key] = nil }
    }

    private func mapIndirect(_ message: DMAMapMessage, file: consuming OwnedDescriptor?) throws(CommandFailure) {
        guard indirect.count < GuestMemory.maximumIndirectRanges else {
            throw CommandFailure(.noSpace, "more than \(GuestMemory.maximumIndirectRanges) DMA_MAPs that cannot be mapped")
        }
        do throws(DMASpace.MapError) { try space.reserve(message.range) } catch { throw CommandFailure(error, message.range) }
        indirect.add(message, file: file)
    }

    /// What a descriptor stands for, if the message may have it.
    private func judge(_ number: Int32, for message: DMAMapMessage) throws(CommandFailure) -> FileFacts {
        let facts: FileFacts
        do throws(SystemCallError) { facts = try FileFacts(of: number) } catch { throw CommandFailure(error) }
        // A file whose page faults another process answers (FUSE) or that is no file at all could stop us for ever.
        guard facts.isMemory else {
            throw CommandFailure(.invalidArgument, "DMA_MAP with a descriptor that is not memfd, tmpfs or hugetlbfs memory")
        }
        guard facts.isSealedAgainstShrinking || !requiresSealedMemory else {
            throw CommandFailure(.notPermitted, "DMA_MAP with memory that is not sealed against shrinking")
        }
        let (end, overflow) = message.fileOffset.addingReportingOverflow(message.range.byteCount)
        guard !overflow, end <= facts.byteCount, facts.byteCount <= UInt64(Int.max) else {
            throw CommandFailure(
                .invalidArgument, "DMA_MAP of \(message.range.byteCount) bytes at \(message.fileOffset) of a file of \(facts.byteCount)")
        }
        return facts
    }

    private func sharedFile(for message: DMAMapMessage, descriptor: consuming OwnedDescriptor) throws(CommandFailure) -> SharedFile {
        let facts = try judge(descriptor.number, for: message)
        let end = message.fileOffset + message.range.byteCount
        let key = FileKey(device: facts.device, inode: facts.inode, access: message.access)
        if let known = newest[key], end <= known.byteCount { return known }
        guard fileCount < GuestMemory.maximumFiles else {
            throw CommandFailure(.noSpace, "more than \(GuestMemory.maximumFiles) files behind DMA_MAPs")
        }
        let protection = message.access.contains(.write) ? PROT_READ | PROT_WRITE : PROT_READ
        do throws(SystemCallError) {
            let pages = try MappedPages(
                sharing: descriptor, byteCount: Int(facts.byteCount), protection: protection, subject: "the client's memory")
            let number = files.firstIndex { $0 == nil } ?? files.count
            let file = SharedFile(
                key: key, mapping: try GuardedMapping(pages, pageByteCount: facts.blockByteCount), byteCount: facts.byteCount,
                number: number, kept: try kept(descriptor))
            if number < files.count { files[number] = file } else { files.append(file) }
            newest[key] = file
            fileCount += 1
            return file
        } catch {
            throw CommandFailure(error)
        }
    }
}

extension GuestMemory: MemoryFiles {
    func file(ofTag tag: UInt32) -> (file: SharedDescriptor, processAddress: UInt64)? {
        let number = Int(tag)
        guard files.indices.contains(number), let file = files[number], let kept = file.kept else { return nil }
        return (kept, file.mapping.window.processAddress)
    }

    /// nil: it is not kept. It goes with the last range in it.
    private func kept(_ descriptor: borrowing OwnedDescriptor) throws(SystemCallError) -> SharedDescriptor? {
        guard keepsFiles, files.count(where: { $0?.kept != nil }) < GuestMemory.maximumKeptFiles else { return nil }
        return SharedDescriptor(try descriptor.duplicate())
    }
}

extension CommandFailure {
    fileprivate init(_ error: DMASpace.MapError, _ range: IOVARange) {
        switch error {
        case .overlaps: self.init(.fileExists, "DMA_MAP of \(range) overlaps another one")
        case .tooMany(let limit): self.init(.noSpace, "more than \(limit) DMA_MAPs")
        case .sizeMismatch: self.init(.invalidArgument, "DMA_MAP of \(range) does not fit its file")
        }
    }
}
