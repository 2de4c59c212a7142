import DeviceMemory
import Testing

@testable import DeviceAccess

@Suite("IOVA windows by iommufd") struct IOVARangesReplyTests {
    private func limits(_ pairs: [(UInt64, UInt64)], alignment: UInt64 = 4096) throws(MalformedInfo) -> DMALimits {
        try IOVARangesReply(count: pairs.count, pairs: pairs.map { (first: $0.0, last: $0.1) }, alignment: alignment).limits()
    }

    @Test("windows of 39 and 48 bits around the interrupt window", arguments: [UInt64(39), 48])
    func widths(bits: UInt64) throws {
        let top: UInt64 = (1 << bits) - 1
        let limits = try limits([(0xfef0_0000, top), (0, 0xfedf_ffff)])
        #expect(limits.windows.map(\.start.rawValue) == [0, 0xfef0_0000])
        #expect(limits.windows.map(\.last) == [0xfedf_ffff, top])
        #expect(limits.smallestPage == 4096 && limits.maximumMappings == .max && !limits.seesPhysicalAddresses)
    }

    @Test("a page of the IOMMU that is larger than the CPU's is kept; byte alignment means ordinary pages")
    func alignment() throws {
        #expect(try limits([(0, 0xffff_ffff)], alignment: 65536).smallestPage == 65536)
        #expect(try limits([(0, 0xffff_ffff)], alignment: 1).smallestPage == 4096)
    }

    @Test("an alignment that is none, and windows that overlap or end early, are refused")
    func wrong() {
        for alignment in [0, 3, 6000, 1 << 31] as [UInt64] {
            #expect(throws: MalformedInfo.self) { try limits([(0, 1)], alignment: alignment) }
        }
        #expect(throws: MalformedInfo.self) { try limits([(0, 0xffff), (0x8000, 0x1_0000)]) }
        #expect(throws: MalformedInfo.self) { try limits([(2, 1)]) }
    }

    @Test("parts of windows are disjoint, inside, and as many as asked for", arguments: 1...9)
    func parts(count: Int) throws {
        let windows = [(0, 0xfedf_ffff), (0xfef0_0000, 0x7f_ffff_ffff)].compactMap { IOVARange(first: $0.0, last: $0.1) }
        let parts = (0..<count).map { IOVAWindows.part($0, of: count, in: windows) }
        for (index, part) in parts.enumerated() {
            #expect(part.count == 2)
            for range in part {
                #expect(windows.contains { $0.contains(range) })
                #expect(!parts[..<index].joined().contains { $0.overlaps(range) })
            }
        }
    }

    @Test("a window too small to be divided gives nothing, and one at the very top does not wrap")
    func edges() throws {
        #expect(IOVAWindows.part(1, of: 2, in: [try #require(IOVARange(first: 0, last: 0xfffff))]).isEmpty)
        let top = try #require(IOVARange(first: .max - 0x7f_ffff, last: .max))
        #expect(IOVAWindows.part(1, of: 2, in: [top]).map(\.last) == [.max])
    }
}
