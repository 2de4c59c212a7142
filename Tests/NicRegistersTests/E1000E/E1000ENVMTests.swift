import NicRegisters
import Testing

@Suite struct E1000ENVMTests {
    @Test func checksumWordMakesAllWordsAddUp() {
        var words = (0..<64).map { UInt16(truncatingIfNeeded: $0 &* 0x1357 &+ 0xfff0) }
        words[E1000E.NVM.checksum] = E1000E.NVM.checksum(of: words)
        #expect(words.reduce(0, &+) == 0xbaba)
    }

    @Test func macAddressGoesLowByteFirst() {
        let words = E1000E.NVM.words(ofMAC: (0x52, 0x54, 0x00, 0x12, 0x34, 0x56))
        #expect(words == (0x5452, 0x1200, 0x5634))
    }

    @Test func phyIdentifierIsMadeOfItsTwoRegisters() {
        let values = E1000E.PHY.resetValues.filter { $0.page == 0 }
        let one = values.first { $0.register == E1000E.PHY.identifier1 }?.value
        let two = values.first { $0.register == E1000E.PHY.identifier2 }?.value
        #expect(one == 0x0141 && two == 0x0cb1)
        #expect(E1000E.PHY.identifier == 0x0141_0cb1)
    }
}
