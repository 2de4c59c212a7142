import DeviceMemory
import Testing

@testable import DeviceAccess

@Suite("IOMMU info") struct IOMMUInfoReplyTests {
    private func withRanges(_ ranges: [(UInt64, UInt64)], count: UInt32? = nil) throws -> IOMMUInfoReply {
        let chain = InfoBuilder.capability(id: 1, next: 0, body: InfoBuilder.pairs(ranges, count: count))
        return try IOMMUInfoReply.parse(InfoBuilder.iommu(flags: 3, pageSizes: 0x4020_1000, first: 24, chain: chain))
    }

    @Test("page sizes, windows and free mappings become limits")
    func complete() throws {
        // 24: windows, 48 bytes, then the third link; 72: migration, 16 bytes, where the chain starts; 88: free mappings.
        var chain = InfoBuilder.capability(id: 1, next: 88, body: InfoBuilder.pairs([(0xfef0_0000, 0x7f_ffff_ffff), (0, 0xfedf_ffff)]))
        chain += InfoBuilder.capability(id: 2, next: 24, body: [UInt8](repeating: 0, count: 8))
        chain += InfoBuilder.capability(id: 3, next: 0, body: [0x10, 0x27, 0, 0])
        let limits = try IOMMUInfoReply.parse(InfoBuilder.iommu(flags: 3, pageSizes: 0x4020_1000, first: 72, chain: chain)).limits
        #expect(limits.pageSizes == 0x4020_1000)
        #expect(limits.windows == [(0, 0xfedf_ffff), (0xfef0_0000, 0x7f_ffff_ffff)].compactMap { IOVARange(first: $0.0, last: $0.1) })
        #expect(limits.maximumMappings == 10000)
    }

    @Test("a kernel that says nothing gets cautious windows, ordinary pages and the default number of mappings")
    func silent() throws {
        let limits = try IOMMUInfoReply.parse(InfoBuilder.iommu(flags: 0, pageSizes: 0)).limits
        #expect(limits.pageSizes == 4096)
        #expect(limits.maximumMappings == 65535)
        let interruptWindow = try #require(IOVARange(first: 0xfee0_0000, last: 0xfeef_ffff))
        #expect(limits.windows.allSatisfy { !$0.overlaps(interruptWindow) })
        #expect(limits.windows.map(\.last).max() == (1 << 39) - 1)
    }

    @Test("all 64 bits lose their last page, and are usable")
    func everything() throws { #expect(try withRanges([(0, .max)]).ranges?.map(\.last) == [.max - 4096]) }

    @Test("a window up to the top that starts higher stays whole")
    func top() throws { #expect(try withRanges([(0x1000, .max)]).ranges?.map(\.last) == [.max]) }

    @Test("overlapping and backward windows are refused")
    func wrong() {
        #expect(throws: MalformedInfo.self) { try withRanges([(0, 0xffff), (0x8000, 0x1_0000)]) }
        #expect(throws: MalformedInfo.self) { try withRanges([(2, 1)]) }
    }

    @Test("more windows than bytes are refused", arguments: [UInt32(2), 100, .max])
    func tooMany(count: UInt32) { #expect(throws: MalformedInfo.self) { try withRanges([(0, 0xffff)], count: count) } }

    @Test("an answer that is cut short is refused, or read without its chain, never a trap")
    func truncated() throws {
        let chain =
            InfoBuilder.capability(id: 1, next: 56, body: InfoBuilder.pairs([(0, 0xffff)]))
            + InfoBuilder.capability(id: 3, next: 0, body: [1, 0, 0, 0])
        let whole = InfoBuilder.iommu(flags: 3, pageSizes: 4096, first: 24, chain: chain)
        for count in 0..<whole.count {
            let parsed = try? IOMMUInfoReply.parse(InfoBytes(Array(whole.bytes[..<count])))
            // Between 16 and 20 bytes there is no cap_offset yet: the kernel's oldest answer.
            #expect((parsed != nil) == (16..<20).contains(count), "at \(count) bytes")
        }
    }
}
