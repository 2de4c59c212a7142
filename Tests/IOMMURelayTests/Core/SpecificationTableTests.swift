import DeviceMemory
import Testing

@testable import IOMMURelay

@Suite struct SpecificationTableTests {
    /// Endpoints 8 and 9, domains 1 to 9, pages of 4 KiB, input up to 2^48; 9 has reserved windows at 0xfee00000 (interrupts) and
    /// 0x100000…0x1fffff. 70 is nobody.
    func makeCore(pageSizeMask: UInt64 = ~0xfff, inputLast: UInt64 = 1 << 48 - 1) throws -> IOMMUCore {
        let core = IOMMUCore(
            configuration: .init(pageSizeMask: pageSizeMask, inputRange: 0...inputLast, domainRange: 1...9))
        try core.add(endpoint: 8, group: "8", back: FakeBack())
        let windows = [
            ReservedWindow(.msi, try #require(IOVARange(first: 0xfee0_0000, last: 0xfeef_ffff))),
            ReservedWindow(.reserved, try #require(IOVARange(first: 0x10_0000, last: 0x1f_ffff))),
        ]
        try core.add(endpoint: 9, group: "9", reserved: windows, back: FakeBack())
        return core
    }

    func check(_ row: SpecificationTable.Case, on core: IOMMUCore) {
        for request in row.before { #expect(core.run(request) == .ok, "\(request)") }
        #expect(core.run(row.request) == row.answer)
        #expect(core.statistics.mappings == row.mappings)
        #expect(core.statistics.answers(row.request.kind, row.answer) >= 1)
    }

    @Test(arguments: SpecificationTable.attaches) func attachDetachProbe(row: SpecificationTable.Case) throws {
        try check(row, on: makeCore())
    }
    @Test(arguments: SpecificationTable.maps) func map(row: SpecificationTable.Case) throws { try check(row, on: makeCore()) }
    @Test(arguments: SpecificationTable.unmaps) func unmap(row: SpecificationTable.Case) throws { try check(row, on: makeCore()) }
    /// Pages of one byte, as the list has them.
    @Test(arguments: SpecificationTable.unmapExamples) func unmapExample(row: SpecificationTable.Case) throws {
        try check(row, on: makeCore(pageSizeMask: 1))
    }

    @Test func topOfTheAddressSpaceIsLikeAnyOtherPlace() throws {
        let core = try makeCore(inputLast: .max)
        core.attach(8, 1)
        #expect(core.map(1, .max - 0xfff, .max, to: 0x1000) == .ok)
        #expect(core.map(1, .max - 0x1fff, .max - 0x1000) == .ok)
        #expect(core.map(1, .max - 0xfff, .max) == .invalid)
        #expect(core.map(1, 0, .max, to: 0) == .range)
        #expect(core.unmap(1, .max, .max) == .range)
        #expect(core.unmap(1, .max - 0xfff, .max) == .ok && core.statistics.mappings == 1)
        #expect(core.unmap(1, 0, .max) == .ok && core.statistics.mappings == 0)
    }

    @Test func probeListsTheWindowsAndFillsWithZeroes() throws {
        let core = try makeCore()
        let msi: [UInt8] = [1, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0, 0xff, 0xff, 0xef, 0xfe, 0, 0, 0, 0]
        let other: [UInt8] = [1, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0xff, 0xff, 0x1f, 0, 0, 0, 0, 0]
        #expect(core.begin(.probe(endpoint: 9)) == .done(.ok, properties: msi + other + [UInt8](repeating: 0, count: 512 - 48)))
        #expect(core.begin(.probe(endpoint: 8)) == .done(.ok, properties: [UInt8](repeating: 0, count: 512)))
    }

    @Test func propertiesThatDoNotFitAreInvalid() throws {
        let windows = try (0..<3).map { ReservedWindow(.reserved, try #require(IOVARange(start: IOVA($0 << 20), byteCount: 4096))) }
        for (room, answer) in [(72, IOMMUStatus.ok), (71, .invalid), (0, .invalid)] {
            let core = IOMMUCore(configuration: .init(probeByteCount: UInt32(room)))
            try core.add(endpoint: 1, group: "1", reserved: windows, back: FakeBack())
            #expect(core.run(.probe(endpoint: 1)) == answer)
        }
    }
}
