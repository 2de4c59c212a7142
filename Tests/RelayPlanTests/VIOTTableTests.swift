import Testing

@testable import RelayPlan

@Suite struct VIOTTableTests {
    /// Counted by hand from the specification's two tables.
    @Test func oneIOMMUAndOneRangeAreTheseBytes() throws {
        let table = try VIOTTable(iommus: [0x0008], ranges: [.init(first: 0x0100, last: 0x0207, firstEndpoint: 0x1234_0100)])
        #expect(
            table.body == [
                2, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // two nodes, the first at 48
                3, 0, 16, 0, 0, 0, 0x08, 0x00, 0, 0, 0, 0, 0, 0, 0, 0,  // virtio-iommu at 00:01.0
                1, 0, 24, 0, 0x00, 0x01, 0x34, 0x12, 0, 0, 0, 0, 0x00, 0x01, 0x07, 0x02, 48, 0, 0, 0, 0, 0, 0, 0,
            ])
    }

    @Test func aRangeNamesItsIOMMUsNodeByItsPlaceInTheWholeTable() throws {
        let table = try VIOTTable(
            iommus: [0x0008, 0x0009, 0x00f8],
            ranges: [
                .init(first: 0x0100, last: 0x0100, firstEndpoint: 0x0100, iommu: 2),
                .init(first: 0x0200, last: 0x0200, firstEndpoint: 0x0200, iommu: 0),
            ])
        let body = table.body
        #expect(body.count == 12 + 3 * 16 + 2 * 24)
        #expect(body[0] == 5)
        #expect(body[12 + 2 * 16 + 6] == 0xf8)
        #expect(body[12 + 3 * 16 + 16] == 48 + 2 * 16)
        #expect(body[12 + 3 * 16 + 24 + 16] == 48)
    }

    @Test func lengthsOfNodesLeadFromTheFirstToTheEnd() throws {
        let ranges = (1...40).map { VIOTTable.Range(first: UInt16($0) << 8, last: UInt16($0) << 8 | 7, firstEndpoint: UInt32($0) << 8) }
        let body = try VIOTTable(iommus: [8], ranges: ranges).body
        var offset = Int(body[2]) - 36
        var count = 0
        while offset < body.count {
            offset += Int(body[offset + 2]) | Int(body[offset + 3]) << 8
            count += 1
        }
        #expect(offset == body.count && count == 41 && body[0] == 41)
    }

    @Test func whatMakesNoSenseIsRefused() {
        func refusal(_ iommus: [UInt16], _ ranges: [VIOTTable.Range]) -> VIOTError? {
            do { _ = try VIOTTable(iommus: iommus, ranges: ranges) } catch { return error }
            return nil
        }
        let range = VIOTTable.Range(first: 0x0100, last: 0x01ff, firstEndpoint: 0x0100)
        let backwards = VIOTTable.Range(first: 2, last: 1, firstEndpoint: 0)
        let foreign = VIOTTable.Range(first: 0x0100, last: 0x0100, firstEndpoint: 0, iommu: 1)
        let wrapping = VIOTTable.Range(first: 0x0100, last: 0x0101, firstEndpoint: .max)
        let inside = VIOTTable.Range(first: 0x01ff, last: 0x0200, firstEndpoint: 0x01ff)
        #expect(refusal([], [range]) == .noIOMMU)
        #expect(refusal([8], [backwards]) == .backwards(backwards))
        #expect(refusal([8], [foreign]) == .unknownIOMMU(foreign))
        #expect(refusal([8], [wrapping]) == .endpointsWrap(wrapping))
        #expect(refusal([8], [.init(first: 0x0100, last: 0x0100, firstEndpoint: .max)]) == nil)
        #expect(refusal([0x01ff], [range]) == .holdsIOMMU(range, iommu: 0x01ff))
        #expect(refusal([0x0200], [range]) == nil)
        #expect(refusal([8], [range, inside]) == .overlap(range, inside))
        #expect(refusal(Array(repeating: 8, count: 4093), []) == .tooLarge(byteCount: 48 + 4093 * 16))
        #expect(refusal(Array(repeating: 8, count: 4092), []) == nil)
    }

    @Test func refusalsNameThePlaces() {
        let range = VIOTTable.Range(first: 0x0100, last: 0x01ff, firstEndpoint: 0x0100)
        #expect(
            VIOTError.holdsIOMMU(range, iommu: 0x0108).description
                == "The PCI range 0000:01:00.0 to 0000:01:1f.7 holds the IOMMU's own function 0000:01:01.0, which nothing translates.")
    }
}
