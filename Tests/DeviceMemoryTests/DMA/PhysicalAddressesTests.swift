import LinuxIO
import Testing

@testable import DeviceMemory

/// Hugepages and their addresses as they really are: in the lab.
struct PhysicalAddressesTests {
    @Test func anEntryOfPagemapGivesItsPage() throws {
        // A page that is there, exclusively mapped, of a file: bits 63, 61, 56.
        #expect(try PhysicalAddresses.address(inEntry: 0xa100_0000_0012_3456, offset: 0) == 0x1_2345_6000)
        // The highest number that bits 0 to 54 hold does not trap.
        #expect(try PhysicalAddresses.address(inEntry: .max, offset: 0) == (1 << 55 - 1) << 12)
    }

    @Test func aPageThatIsNotThereOrHiddenIsAnError() {
        #expect(throws: PhysicalAddresses.Failure.self) { try PhysicalAddresses.address(inEntry: 0x4000_0000_0012_3456, offset: 4096) }
        do {
            _ = try PhysicalAddresses.address(inEntry: 1 << 63, offset: 0)
            Issue.record("no error")
        } catch { #expect(error.description.contains("CAP_SYS_ADMIN")) }
    }

    @Test func ordinaryPagesAreNoMemoryForADeviceWithoutAnIOMMU() throws {
        let memory = try DMAMemory.ordinary(byteCount: 8192)
        do {
            _ = try PhysicalAddresses.range(of: memory)
            Issue.record("no error")
        } catch { #expect(error.description.contains("may move")) }
    }

    @Test func ofOrdinaryPagesEachIsLookedUpByItself() throws {
        let memory = try DMAMemory.ordinary(byteCount: 3 * 4096)
        do {
            let pages = try PhysicalAddresses.pages(of: memory)
            #expect(pages.count == 3 && Set(pages).count == 3 && pages.allSatisfy { $0 > 0 && $0 % 4096 == 0 })
        } catch {
            // Without the right to see them the kernel says zero.
            guard case .hidden = error else { throw error }
        }
    }
}

struct ContiguousRunTests {
    private let page: UInt64 = 1 << 21

    @Test func aRunIsFoundInWhateverOrderItsPagesLie() {
        #expect(ContiguousRun.find([9 * page, 3 * page, 2 * page, 7 * page, 4 * page], count: 3, pageByteCount: page) == [2, 1, 4])
        #expect(ContiguousRun.find([3 * page, 2 * page], count: 2, pageByteCount: page) == [1, 0])
        #expect(ContiguousRun.find([5 * page], count: 1, pageByteCount: page) == [0])
    }

    @Test func noRunIsNil() {
        #expect(ContiguousRun.find([0, 2 * page, 4 * page], count: 2, pageByteCount: page) == nil)
        #expect(ContiguousRun.find([], count: 1, pageByteCount: page) == nil)
        #expect(ContiguousRun.find([0, page], count: 3, pageByteCount: page) == nil)
        #expect(ContiguousRun.find([0], count: 0, pageByteCount: page) == nil)
        // Past the top of the address space nothing follows.
        #expect(ContiguousRun.find([.max &- page &+ 1, 0], count: 2, pageByteCount: page) == nil)
    }

    @Test func theSamePageTwiceIsNoRun() { #expect(ContiguousRun.find([page, page], count: 2, pageByteCount: page) == nil) }
}
