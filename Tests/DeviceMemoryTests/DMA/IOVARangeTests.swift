import DeviceMemory
import Testing

@Suite struct IOVARangeTests {
    @Test func emptyRangeIsRefused() {
        #expect(IOVARange(start: IOVA(0), byteCount: 0) == nil)
        #expect(IOVARange(start: IOVA(.max), byteCount: 0) == nil)
    }

    @Test func rangeThatEndsAtTheLastByteIsAccepted() throws {
        let range = try #require(IOVARange(start: IOVA(UInt64.max - 4095), byteCount: 4096))
        #expect(range.last == .max)
        let one = try #require(IOVARange(start: IOVA(.max), byteCount: 1))
        #expect(one.last == .max)
    }

    @Test func rangeThatRunsPastTheLastByteIsRefused() {
        #expect(IOVARange(start: IOVA(UInt64.max - 4095), byteCount: 4097) == nil)
        #expect(IOVARange(start: IOVA(.max), byteCount: 2) == nil)
        #expect(IOVARange(start: IOVA(1), byteCount: .max) != nil)
        #expect(IOVARange(start: IOVA(2), byteCount: .max) == nil)
    }

    @Test func firstAndLastGiveTheSameRange() {
        #expect(IOVARange(first: 0x1000, last: 0x1fff) == IOVARange(start: IOVA(0x1000), byteCount: 0x1000))
        #expect(IOVARange(first: 5, last: 4) == nil)
        #expect(IOVARange(first: 0, last: .max) == nil)
        #expect(IOVARange(first: 1, last: .max)?.byteCount == .max)
    }

    @Test func advancingPastTheTopIsNil() {
        #expect(IOVA(.max).advanced(by: 0) == IOVA(.max))
        #expect(IOVA(.max).advanced(by: 1) == nil)
        #expect(IOVA(1).advanced(by: .max) == nil)
    }

    @Test func neighboursDoNotOverlapAtTheTop() throws {
        let top = try #require(IOVARange(first: UInt64.max - 4095, last: .max))
        let below = try #require(IOVARange(first: UInt64.max - 8191, last: UInt64.max - 4096))
        let both = try #require(IOVARange(first: UInt64.max - 8191, last: .max))
        #expect(!top.overlaps(below) && !below.overlaps(top))
        #expect(top.overlaps(both) && both.overlaps(below))
        #expect(both.contains(top) && both.contains(below) && both.contains(both))
        #expect(!top.contains(both) && !top.contains(below))
    }
}
