import LinuxIO
import SystemPackage
import Testing

@testable import DeviceMemory

/// What is told when pages are short, on pools that make none.
@Suite struct HugepageAllocatorTests {
    static func outcome(_ allocator: HugepageAllocator, _ byteCount: Int, _ preference: HugepagePreference = .automatic) throws
        -> HugepageOutcome
    {
        let allocation = try allocator.allocate(byteCount: byteCount, preference: preference)
        let outcome = allocation.outcome
        let memory = allocation.takeMemory()
        let (count, pageSize) = (memory.byteCount, memory.pageSize)
        #expect(count == outcome.byteCount && count >= byteCount && pageSize == outcome.pageSize)
        return outcome
    }

    @Test func ordinaryPagesOnRequestAreNoFallback() throws {
        let outcome = try Self.outcome(HugepageAllocator(), 5000, .pages(.base))
        #expect(outcome.pageSize == .base && outcome.byteCount == 8192 && outcome.notes.isEmpty && !outcome.fellBack)
    }

    @Test func kernelWithoutHugepagesIsTold() throws {
        let outcome = try Self.outcome(HugepageAllocator(files: HugepageFiles(sysRoot: "/nowhere"), ledger: nil), 4096)
        #expect(outcome.pageSize == .base && outcome.fellBack)
        #expect(outcome.notes == [HugepageNote(pageSize: .huge2MiB, reason: .sizeUnknown)])
        #expect(outcome.description.contains("No 2 MiB pages: this kernel or CPU has no such pool."))
    }

    @Test func poolThatDoesNotGrowIsToldAndLeftAsItWas() throws {
        let pools = try FakePools(total: 0, free: 0)
        // More than the real pool can have free: the fake tree must not decide what the kernel gives.
        let available = try HugepageFiles().pool(pageByteCount: 2 << 20).available
        let count = available + 4
        let allocator = HugepageAllocator(files: pools.files, ledger: pools.ledger)
        let outcome = try Self.outcome(allocator, count * (2 << 20))
        #expect(outcome.notes.map(\.reason) == [.poolTooSmall(needed: count, available: 0)])
        #expect(outcome.description.contains("hugepagesz=2M hugepages=\(count)"))
        #expect(try pools.files.pool(pageByteCount: 2 << 20).total == 0)
        #expect(pools.ledger.pending() == nil)
    }

    @Test func missingPermissionIsToldWithTheCommand() throws {
        let pools = try FakePools(total: 0, free: 0)
        // A number that the kernel lets nobody write, root included.
        let path = "\(pools.root)/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
        let linked = try ChildProcess("ln", arguments: ["-sf", "/proc/sys/kernel/cap_last_cap", path]).wait(timeoutMilliseconds: 10_000)
        #expect(linked == .exited(0))
        let available = try HugepageFiles().pool(pageByteCount: 2 << 20).available
        let outcome = try Self.outcome(HugepageAllocator(files: pools.files, ledger: pools.ledger), (available + 4) * (2 << 20))
        #expect(outcome.pageSize == .base && outcome.fellBack)
        #expect(outcome.description.contains("none may be added") && outcome.description.contains("echo \(available + 4) > "))
    }

    @Test func missingStateDirectoryIsTold() throws {
        let pools = try FakePools(total: 0, free: 0)
        let available = try HugepageFiles().pool(pageByteCount: 2 << 20).available
        let outcome = try Self.outcome(HugepageAllocator(files: pools.files, ledger: nil), (available + 4) * (2 << 20))
        #expect(outcome.description.contains("XDG_RUNTIME_DIR"))
    }

    @Test func busyLockIsTold() throws {
        let pools = try FakePools(total: 0, free: 0)
        let available = try HugepageFiles().pool(pageByteCount: 2 << 20).available
        let allocator = HugepageAllocator(files: pools.files, ledger: pools.ledger)
        let lock = try PrivateDirectory(path: "\(pools.root)/state").openFile("lock")
        let locked = try lock.tryLock(byte: 0)
        #expect(locked)
        #expect(try Self.outcome(allocator, (available + 4) * (2 << 20)).notes.map(\.reason) == [.busy])
        #expect(try pools.files.pool(pageByteCount: 2 << 20).total == 0)
    }

    @Test func gigabytePagesThatAreNotReservedNameTheBootParameter() throws {
        let note = HugepageNote(pageSize: .huge1GiB, reason: .reservedAtBootOnly(needed: 2, available: 0))
        #expect(note.description.contains("hugepagesz=1G hugepages=2"))
        let outcome = try Self.outcome(HugepageAllocator(files: HugepageFiles(sysRoot: "/nowhere"), ledger: nil), 4096, .pages(.huge1GiB))
        #expect(outcome.notes.map(\.pageSize) == [.huge1GiB, .huge2MiB])
    }

    @Test(arguments: [Int.max, Int.max - 4096]) func impossibleSizesAreErrors(byteCount: Int) {
        #expect(throws: SystemCallError.self) { _ = try HugepageAllocator().allocate(byteCount: byteCount).outcome }
    }

    @Test(arguments: [0, -5]) func nothingIsOnePage(byteCount: Int) throws {
        let outcome = try HugepageAllocator().allocate(byteCount: byteCount, preference: .pages(.base)).outcome
        #expect(outcome.byteCount == 4096)
    }

    @Test func memoryCanBeMappedByItsFileAndIsShared() throws {
        let memory = try HugepageAllocator().allocate(byteCount: 4096).takeMemory()
        let again = try MappedPages(sharing: memory.file, byteCount: memory.byteCount, subject: "a second mapping")
        memory.window.store64(0x1122_3344_5566_7788, at: memory.byteCount - 8)
        // SAFETY: the second mapping lives to the end of the test and is as long as the first.
        let other = unsafe MemoryWindow(again.address, byteCount: again.byteCount)
        #expect(other.load64(at: memory.byteCount - 8) == 0x1122_3344_5566_7788)
        #expect(other.load64(at: 0) == 0)
        _ = consume again
    }
}

@Suite struct HugepagePoolTests {
    @Test func poolAndItsNodesAreRead() throws {
        let pools = try FakePools(total: 9, free: 6, reserved: 2, surplus: 1)
        let pool = try pools.files.pool(pageByteCount: 2 << 20)
        #expect(pool.total == 9 && pool.free == 6 && pool.reserved == 2 && pool.surplus == 1)
        #expect(pool.available == 4 && pool.persistent == 8)
        #expect(pool.nodes == [HugepagePool.Node(number: 0, total: 9, free: 6, surplus: 1)])
    }

    @Test func textThatIsNoNumberIsAnError() throws {
        let pools = try FakePools(total: 1, free: 1)
        try FakePools.write("\(pools.root)/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "many\n")
        #expect(throws: SystemCallError.self) { try pools.files.pool(pageByteCount: 2 << 20) }
    }

    @Test(
        arguments: [("0\n", [0]), ("0-2,5\n", [0, 1, 2, 5]), ("", []), ("3-1", []), ("x,1", [1]), ("0-99999999999", [])]
            as [(String, [Int])])
    func kernelListsAreRead(text: String, numbers: [Int]) { #expect(HugepageFiles.numbers(inList: text) == numbers) }

    @Test func reportNamesEverySizeOfThisKernel() {
        let report = HugepagePool.report()
        #expect(report.sizes.map(\.pool.pageByteCount) == Hugetlbfs.pageSizes().sorted())
        for size in report.sizes where !size.pool.nodes.isEmpty {
            #expect(size.pool.nodes.reduce(0) { $0 + $1.total } == size.pool.total)
        }
        #expect(report.description.contains(report.sizes.isEmpty ? "no hugepages" : "total"))
    }
}
