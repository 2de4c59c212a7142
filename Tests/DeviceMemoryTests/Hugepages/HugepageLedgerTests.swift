import LinuxIO
import SystemPackage
import Testing

@testable import DeviceMemory

@Suite struct HugepageLedgerTests {
    static let size = 2 << 20

    static func raise(_ from: Int, _ to: Int, boot: String = HugepageLedger.boot) -> HugepageLedger.Raise {
        HugepageLedger.Raise(pageByteCount: size, from: from, to: to, boot: boot)
    }

    @Test func recordSurvivesWritingAndReading() throws {
        let pools = try FakePools(total: 7, free: 7)
        #expect(pools.ledger.pending() == nil)
        try pools.ledger.write(Self.raise(3, 7))
        #expect(pools.ledger.pending() == Self.raise(3, 7))
        pools.ledger.clear()
        #expect(pools.ledger.pending() == nil)
    }

    @Test(arguments: [
        "", "\n", "2097152 3", "2097152 3 7", "2097152 7 3 boot", "3 1 2 boot", "2097152 -1 2 boot", "x y z w", "1 2 3 4 5", "\u{0}",
    ])
    func damagedRecordIsNoRecord(text: String) { #expect(HugepageLedger.Raise(text) == nil) }

    @Test(arguments: [(7, 3), (9, 5), (5, 3), (3, 3), (2, 2)])
    func leftoverIsTakenOutAndNoMore(total: Int, expected: Int) throws {
        let pools = try FakePools(total: total, free: total)
        try pools.ledger.write(Self.raise(3, 7))
        _ = try pools.ledger.withLock { () throws(SystemCallError) in try pools.ledger.reclaim(pools.files)?.pageCount }
        #expect(try pools.files.pool(pageByteCount: Self.size).total == expected)
        #expect(pools.ledger.pending() == nil)
    }

    @Test func surplusPagesAreNotCountedAsRaised() throws {
        let pools = try FakePools(total: 7, free: 0, surplus: 4)
        try pools.ledger.write(Self.raise(3, 7))
        let done = try pools.ledger.withLock { () throws(SystemCallError) in try pools.ledger.reclaim(pools.files)?.pageCount }
        #expect(done == 0)
    }

    @Test func recordOfAnotherBootChangesNothing() throws {
        let pools = try FakePools(total: 7, free: 7)
        try pools.ledger.write(Self.raise(3, 7, boot: "another"))
        #expect(HugepageAllocator(files: pools.files, ledger: pools.ledger, restoring: false).report().leftover == nil)
        _ = try pools.ledger.withLock { () throws(SystemCallError) in try pools.ledger.reclaim(pools.files)?.pageCount }
        #expect(try pools.files.pool(pageByteCount: Self.size).total == 7)
        #expect(pools.ledger.pending() == nil)
    }

    @Test func newAllocatorLowersWhatAKilledOneLeft() throws {
        let pools = try FakePools(total: 7, free: 7)
        try pools.ledger.write(Self.raise(3, 7))
        let looking = HugepageAllocator(files: pools.files, ledger: pools.ledger, restoring: false)
        #expect(looking.report().leftover == HugepageReport.Leftover(pageByteCount: Self.size, pageCount: 4))
        _ = HugepageAllocator(files: pools.files, ledger: pools.ledger)
        #expect(try pools.files.pool(pageByteCount: Self.size).total == 3)
        #expect(looking.report().leftover == nil)
    }

    @Test func restoreTellsWhatItDidOnce() throws {
        let pools = try FakePools(total: 7, free: 7)
        try pools.ledger.write(Self.raise(3, 7))
        let allocator = HugepageAllocator(files: pools.files, ledger: pools.ledger, restoring: false)
        #expect(try allocator.restore() == HugepageReport.Leftover(pageByteCount: Self.size, pageCount: 4))
        #expect(try allocator.restore() == nil)
    }

    @Test func secondHolderOfTheLockIsToldThatItIsBusy() throws {
        let pools = try FakePools(total: 0, free: 0)
        try pools.ledger.withLock { () throws(SystemCallError) in
            do throws(SystemCallError) {
                try pools.ledger.withLock { () throws(SystemCallError) in }
                Issue.record("two holders of one lock")
            } catch {
                let code = error.errno
                #expect(code == .wouldBlock)
            }
        }
        try pools.ledger.withLock { () throws(SystemCallError) in }
    }

    @Test func directoryThatOthersMayEnterIsRefused() throws {
        let pools = try FakePools(total: 0, free: 0)
        #expect(try ChildProcess("chmod", arguments: ["755", "\(pools.root)/state"]).wait(timeoutMilliseconds: 10_000) == .exited(0))
        #expect(throws: SystemCallError.self) { try pools.ledger.withLock { () throws(SystemCallError) in } }
    }
}
