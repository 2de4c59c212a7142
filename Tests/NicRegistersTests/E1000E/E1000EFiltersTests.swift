import NicRegisters
import Testing

@Suite struct E1000EFiltersTests {
    /// Address 01:aa:00:12:34:56, worked by hand by the formula of Linux' mac.c. Its comment gives 0x163 for offset 2,
    /// its code 0x58d.
    @Test(arguments: [(0, 0x563), (1, 0xac6), (2, 0x58d), (3, 0x634)] as [(UInt32, UInt32)])
    func hashOfTheExampleAddressIsTheShiftedLastBytes(offset: UInt32, hash: UInt32) {
        #expect(E1000E.multicastHash(byte4: 0x34, byte5: 0x56, multicastOffset: offset) == hash)
    }

    @Test func tableBitIsRowAndMask() {
        #expect(E1000E.tableBit(0x563) == (0x2b, 1 << 3))
        #expect(E1000E.tableBit(4095) == (127, 0x8000_0000))
        #expect(E1000E.tableBit(.max) == (127, 0x8000_0000))
    }

    @Test(arguments: [256, 512, 1024, 2048, 3072, 4096, 8192, 10240, 16384])
    func bufferSizeRoundTrips(byteCount: Int) throws {
        let control = try #require(E1000E.ReceiveControl.bufferSize(byteCount: byteCount))
        #expect(control.bufferByteCount == byteCount)
    }

    @Test(arguments: [0, -1, 100, 1536, 17408, Int.max])
    func bufferSizeThatTheDeviceLacksGivesNil(byteCount: Int) {
        #expect(E1000E.ReceiveControl.bufferSize(byteCount: byteCount) == nil)
    }

    @Test func addressEntryIsLowByteFirstAndValid() {
        let entry = E1000E.ReceiveAddressHigh.entry(ofMAC: (0x52, 0x54, 0x00, 0x12, 0x34, 0x56))
        #expect(entry.low == 0x1200_5452)
        #expect(entry.high.rawValue == 0x8000_5634)
    }
}
