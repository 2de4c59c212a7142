import Testing

@testable import DeviceAccess

private let readable: UInt32 = 1
private let writable: UInt32 = 2
private let mmappable: UInt32 = 4
private let hasCapabilities: UInt32 = 8

@Suite("Region info") struct RegionInfoReplyTests {
    private func sparse(_ areas: [(UInt64, UInt64)], size: UInt64 = 0x10000, count: UInt32? = nil) throws -> RegionInfoReply {
        let chain = InfoBuilder.capability(id: 1, next: 0, body: InfoBuilder.pairs(areas, count: count))
        return try RegionInfoReply.parse(InfoBuilder.region(flags: 15, size: size, first: 32, chain: chain))
    }

    @Test("flags, size and file offset are read")
    func plain() throws {
        let reply = try RegionInfoReply.parse(InfoBuilder.region(flags: readable | mmappable, size: 0x20000, offset: 1 << 40))
        #expect(reply.isReadable && !reply.isWritable && reply.isMmappable)
        #expect(reply.byteCount == 0x20000 && reply.fileOffset == 1 << 40)
        #expect(reply.sparseAreas == nil && !reply.isMSIXMappable)
        #expect(reply.mappableAreas(msixTable: nil, pageByteCount: 4096) == [0..<0x20000])
    }

    @Test("a region that may not be mapped, or is empty, has no mappable areas")
    func unmappable() throws {
        #expect(
            try RegionInfoReply.parse(InfoBuilder.region(flags: readable | writable, size: 32)).mappableAreas(
                msixTable: nil, pageByteCount: 4096) == [])
        #expect(try RegionInfoReply.parse(InfoBuilder.region(flags: 7, size: 0)).mappableAreas(msixTable: nil, pageByteCount: 4096) == [])
    }

    @Test("sparse areas are the only ones mapped; empty ones are left out; order is ascending")
    func sparseAreas() throws {
        let reply = try sparse([(0x4000, 0x1000), (0, 0x1000), (0x8000, 0)])
        #expect(reply.sparseAreas == [0..<0x1000, 0x4000..<0x5000])
        #expect(reply.mappableAreas(msixTable: 0..<16, pageByteCount: 4096) == [0..<0x1000, 0x4000..<0x5000])
    }

    @Test("no sparse area at all: nothing is mapped though the flag says mmap")
    func noArea() throws { #expect(try sparse([]).mappableAreas(msixTable: nil, pageByteCount: 4096) == []) }

    @Test("sparse areas that start inside of a page start at the next; overlaps are mapped once")
    func unaligned() throws {
        #expect(try sparse([(0x800, 0x2000)]).mappableAreas(msixTable: nil, pageByteCount: 4096) == [0x1000..<0x2800])
        #expect(try sparse([(0x800, 0x100)]).mappableAreas(msixTable: nil, pageByteCount: 4096) == [])
        #expect(
            try sparse([(0, 0x2000), (0x1000, 0x3000)]).mappableAreas(msixTable: nil, pageByteCount: 4096) == [0..<0x2000, 0x2000..<0x4000])
    }

    @Test("areas past the region's end, or past 64 bits, are refused")
    func outside() {
        #expect(throws: MalformedInfo.self) { try sparse([(0xf000, 0x1001)]) }
        #expect(throws: MalformedInfo.self) { try sparse([(.max, 2)]) }
    }

    @Test("more areas than bytes are refused", arguments: [UInt32(2), 3, 1000, .max])
    func tooManyAreas(count: UInt32) { #expect(throws: MalformedInfo.self) { try sparse([(0, 0x1000)], count: count) } }

    @Test("a capability that is cut short is refused at each length")
    func truncated() throws {
        let chain = InfoBuilder.capability(id: 1, next: 0, body: InfoBuilder.pairs([(0, 0x1000)]))
        let whole = InfoBuilder.region(flags: 15, size: 0x10000, first: 32, chain: chain)
        for count in 0..<whole.count {
            #expect(throws: MalformedInfo.self, "at \(count) bytes") { try RegionInfoReply.parse(InfoBytes(Array(whole.bytes[..<count]))) }
        }
        #expect(try RegionInfoReply.parse(whole).sparseAreas == [0..<0x1000])
    }

    @Test("without the flag the chain is not looked at")
    func flagless() throws {
        #expect(try RegionInfoReply.parse(InfoBuilder.region(flags: 7, size: 4096, first: .max)).sparseAreas == nil)
    }

    @Test("unknown capabilities are passed over")
    func unknown() throws {
        let chain = InfoBuilder.capability(id: 77, next: 40) + InfoBuilder.capability(id: 3, next: 0)
        #expect(try RegionInfoReply.parse(InfoBuilder.region(flags: 15, size: 4096, first: 32, chain: chain)).isMSIXMappable)
    }

    @Test("a region that ends past the largest file offset is refused")
    func hugeOffset() {
        #expect(throws: MalformedInfo.self) { try RegionInfoReply.parse(InfoBuilder.region(flags: 7, size: 2, offset: .max)) }
        #expect(throws: MalformedInfo.self) { try RegionInfoReply.parse(InfoBuilder.region(flags: 7, size: 2, offset: UInt64(Int64.max))) }
    }

    @Test("without sparse areas the pages of the MSI-X table are left out")
    func msixPages() throws {
        let reply = try RegionInfoReply.parse(InfoBuilder.region(flags: 7, size: 0x8000))
        #expect(reply.mappableAreas(msixTable: 0x2100..<0x2150, pageByteCount: 4096) == [0..<0x2000, 0x3000..<0x8000])
        #expect(reply.mappableAreas(msixTable: 0..<80, pageByteCount: 4096) == [0x1000..<0x8000])
        #expect(reply.mappableAreas(msixTable: 0x7ff0..<0x8040, pageByteCount: 4096) == [0..<0x7000])
        #expect(reply.mappableAreas(msixTable: (.max - 16)..<(.max), pageByteCount: 4096) == [0..<0x8000])
    }

    @Test("an 82574L's BAR 3 of one table page is not mapped, unless the kernel says MSIX_MAPPABLE")
    func oneTablePage() throws {
        let plain = try RegionInfoReply.parse(InfoBuilder.region(flags: 7, size: 0x4000))
        #expect(plain.mappableAreas(msixTable: 0..<80, pageByteCount: 0x4000) == [])
        let mappable = try RegionInfoReply.parse(
            InfoBuilder.region(flags: 15, size: 0x4000, first: 32, chain: InfoBuilder.capability(id: 3, next: 0)))
        #expect(mappable.mappableAreas(msixTable: 0..<80, pageByteCount: 0x4000) == [0..<0x4000])
    }
}
