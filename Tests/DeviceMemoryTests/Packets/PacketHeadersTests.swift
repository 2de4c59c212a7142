import DeviceMemory
import Testing

@Suite struct PacketHeadersTests {
    private func pool(headroom: Int) throws -> PacketPool {
        let memory = try DMAMemory.ordinary(byteCount: 4 * 2048, name: "unic-test")
        return PacketPool(memory: memory, iova: IOVA(0x10_0000), bufferByteCount: 2048, headroomByteCount: headroom)
    }

    @Test func aPacketBeginsBehindItsHeadroom() throws {
        let packets = try pool(headroom: 64)
        defer { withExtendedLifetime(packets) {} }
        let pool = packets.reference
        #expect(pool.bufferByteCount == 1984)
        for index in UInt32(0)..<4 {
            #expect(pool.iova(of: index) == 0x10_0000 + UInt64(index) * 2048 + 64)
            #expect(pool.cursor.iova(of: index) == pool.iova(of: index))
            #expect(pool.window(of: index).byteCount == 1984)
        }
    }

    @Test func aHeaderLiesRightInFrontOfItsFrameAndOfNoOther() throws {
        let pool = try pool(headroom: 12)
        defer { withExtendedLifetime(pool) {} }
        let headers = PacketHeaders(of: pool.reference, byteCount: 12)
        for index in UInt32(0)..<4 { pool.reference.window(of: index).fill(0xaa) }
        for index in UInt32(0)..<4 {
            let place = headers.place(of: index)
            #expect(headers.iova(place) == pool.reference.iova(of: index) - 12)
            headers.store64(0x0101_0101_0101_0100 + UInt64(index), at: 0, place)
            headers.store32(0x0202_0200 + index, at: 8, place)
        }
        for index in UInt32(0)..<4 {
            let place = headers.place(of: index)
            #expect(headers.load16(at: 0, place) == 0x0100 + UInt16(index))
            #expect(headers.load16(at: 6, place) == 0x0101)
            #expect(headers.load16(at: 8, place) == 0x0200 + UInt16(index))
            #expect(pool.reference.window(of: index).bytes(at: 0, byteCount: 2036).allSatisfy { $0 == 0xaa })
        }
    }
}
