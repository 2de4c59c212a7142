import NicRegisters
import Testing

@Suite struct IgbvfMailboxTests {
    /// Words written by hand from Linux' igbvf/mbx.h and vf.c.
    @Test func messagesAreTheHeadersNumbers() {
        #expect(Igbvf.MessageHeader(.reset).bits == 0x1)
        #expect(Igbvf.MessageHeader(.setAddress, info: Igbvf.AddressRequest.clearFurther.rawValue).bits == 0x1_0002)
        #expect(Igbvf.MessageHeader(.setAddress, info: Igbvf.AddressRequest.addFurther.rawValue).bits == 0x2_0002)
        #expect(Igbvf.MessageHeader(.setVLAN, info: 1).bits == 0x1_0004)
        #expect(Igbvf.MessageHeader(.setReceiveLimit).bits == 0x5)
        #expect(Igbvf.MessageHeader(.setPromiscuous, info: Igbvf.promiscuousMulticast).bits == 0x2_0006)
        #expect(Igbvf.MessageHeader(.control).bits == 0x100)
    }

    @Test func verdictsAreReadFromTheUpperBits() {
        let done = Igbvf.MessageHeader(bits: 0xa000_0005)
        #expect(done.kind == .setReceiveLimit && done.isAcknowledged && done.isClearToSend && !done.isRefused)
        let refused = Igbvf.MessageHeader(bits: 0x4000_0001)
        #expect(refused.kind == .reset && refused.isRefused && !refused.isClearToSend && !refused.isAcknowledged)
        #expect(Igbvf.MessageHeader(bits: .max).kind == nil)
        #expect(Igbvf.MessageHeader(bits: 0x0000_0007).kind == nil)
    }

    @Test func anAddressLiesInMemoryOrderFromTheSecondWordOn() {
        let words = Igbvf.addressMessage(.own, 0x5254_0012_3700)
        #expect(words == [0x2, 0x1200_5452, 0x0000_0037])
        #expect(Igbvf.address(low: words[1], high: words[2]) == 0x5254_0012_3700)
        #expect(Igbvf.address(low: 0, high: 0xffff_0000) == 0)
    }

    @Test func hashesAreTwoAWordAndCounted() {
        #expect(Igbvf.multicastMessage([]) == [0x3])
        #expect(Igbvf.multicastMessage([0x123]) == [0x1_0003, 0x123])
        #expect(Igbvf.multicastMessage([0x123, 0xabc, 0x7]) == [0x3_0003, 0x0abc_0123, 0x7])
        let full = Igbvf.multicastMessage([UInt16](repeating: 1, count: Igbvf.multicastHashCount))
        #expect(full.count == Igbvf.vmbmem.count)
    }

    /// 01:aa:00:12:34:56 by e1000_hash_mc_addr_vf: 0x34 >> 4 | 0x56 << 4.
    @Test func theHashIsTheDriversOfLinux() { #expect(Igbvf.multicastHash(byte4: 0x34, byte5: 0x56) == 0x563) }
}
