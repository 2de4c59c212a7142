import NicRegisters
import Testing

@Suite struct E1000ERxDescriptorTests {
    @Test func readFormatIsTheAddressAndAZeroWord() {
        let descriptor = E1000E.RxReadDescriptor(bufferAddress: 0x1122_3344_5566_7788)
        #expect(descriptor.bytes == [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(!E1000E.RxWriteBack(word0: descriptor.word0, word1: descriptor.word1).status.contains(.done))
    }

    /// MRQ 0x00000101, RSS hash 0xdeadbeef, DD EOP VP TCPCS IPCS and CE, length 0x05ea, tag 0x6064.
    private let writeBack: [UInt8] = [
        0x01, 0x01, 0x00, 0x00, 0xef, 0xbe, 0xad, 0xde, 0x6b, 0x00, 0x00, 0x01, 0xea, 0x05, 0x64, 0x60,
    ]

    @Test func writeBackIsReadFromItsBytes() throws {
        let descriptor = try #require(E1000E.RxWriteBack(bytes: writeBack))
        #expect(descriptor.rssType == 1)
        #expect(descriptor.queue == 1)
        #expect(descriptor.rssHash == 0xdead_beef)
        #expect(descriptor.ipIdentification == 0xbeef)
        #expect(descriptor.packetChecksum == 0xdead)
        #expect(
            descriptor.status == [
                .done, .endOfPacket, .vlanPacket, .tcpChecksumChecked, .ipChecksumChecked, .crcError,
            ])
        #expect(descriptor.length == 1514)
        #expect(descriptor.vlanTag == 0x6064)
    }

    @Test func writeBackIsMadeOfItsFields() throws {
        let read = try #require(E1000E.RxWriteBack(bytes: writeBack))
        let made = E1000E.RxWriteBack(
            status: read.status, length: 1514, vlanTag: 0x6064, rssHash: 0xdead_beef, rssType: 1, queue: 1)
        #expect(made.bytes == writeBack)
    }

    @Test func legacyWriteBackIsReadFromItsBytes() throws {
        let bytes: [UInt8] = [0, 0x10, 0, 0, 1, 0, 0, 0, 0x3c, 0x00, 0x34, 0x12, 0x07, 0x20, 0x05, 0x00]
        let descriptor = try #require(E1000E.RxLegacyDescriptor(bytes: bytes))
        #expect(descriptor.bufferAddress == 0x1_0000_1000)
        #expect(descriptor.length == 60)
        #expect(descriptor.packetChecksum == 0x1234)
        #expect(descriptor.status == [.done, .endOfPacket, .ignoreChecksum, .tcpUDPChecksumError])
        #expect(descriptor.vlanTag == 5)

        var made = E1000E.RxLegacyDescriptor(bufferAddress: 0x1_0000_1000)
        made.length = 60
        made.packetChecksum = 0x1234
        made.status = descriptor.status
        made.vlanTag = 5
        #expect(made.bytes == bytes)
    }

    @Test func frameErrorsAreThePublicHeadersMask() {
        let errors: E1000E.RxStatus = [.crcError, .symbolError, .sequenceError, .carrierExtensionError, .dataError]
        #expect(E1000E.RxStatus.frameErrors == errors)
    }

    @Test(arguments: [0, 15, 17])
    func otherThanSixteenBytesIsNoDescriptor(count: Int) {
        #expect(E1000E.RxWriteBack(bytes: [UInt8](repeating: 0, count: count)) == nil)
    }
}
