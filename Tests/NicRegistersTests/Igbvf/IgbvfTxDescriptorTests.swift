import NicRegisters
import Testing

@Suite struct IgbvfTxDescriptorTests {
    /// cmd_type_len 0x2b300040 (DEXT RS IFCS EOP, data, 64 bytes), olinfo_status 64 << 14 | TXSM and IXSM << 8.
    private let dataBytes: [UInt8] = [0, 0x20, 0, 0, 1, 0, 0, 0, 0x40, 0x00, 0x30, 0x2b, 0x00, 0x03, 0x10, 0x00]

    @Test func dataDescriptorIsItsBytes() throws {
        let made = Igbvf.TxDataDescriptor(
            bufferAddress: 0x1_0000_2000, length: 64, command: [.endOfPacket, .insertFCS, .reportStatus],
            options: [.insertIPChecksum, .insertTCPUDPChecksum], payloadLength: 64)
        #expect(made.bytes == dataBytes)

        let read = try #require(Igbvf.TxDataDescriptor(bytes: dataBytes))
        #expect(read.bufferAddress == 0x1_0000_2000 && read.length == 64 && read.payloadLength == 64)
        #expect(read.command == [.endOfPacket, .insertFCS, .reportStatus, .extended])
        #expect(read.options == [.insertIPChecksum, .insertTCPUDPChecksum] && read.contextIndex == 0 && !read.isDone)
        #expect(Igbvf.TxDescriptorKind(word1: read.word1) == .data)
    }

    /// vlan_macip_lens 14 << 9 | 20, type_tucmd_mlhl 0x20200c00 (DEXT, context, TCP, IPv4), mss_l4len_idx of context 1.
    @Test func contextDescriptorIsItsBytes() throws {
        let bytes: [UInt8] = [0x14, 0x1c, 0, 0, 0, 0, 0, 0, 0x00, 0x0c, 0x20, 0x20, 0x10, 0, 0, 0]
        let made = Igbvf.TxContextDescriptor(linkHeaderByteCount: 14, networkHeaderByteCount: 20, isIPv4: true, isTCP: true, index: 1)
        #expect(made.bytes == bytes)

        let read = try #require(Igbvf.TxContextDescriptor(bytes: bytes))
        #expect(read.linkHeaderByteCount == 14 && read.networkHeaderByteCount == 20)
        #expect(read.isIPv4 && read.isTCP && !read.isSCTP && read.index == 1)
        #expect(Igbvf.TxDescriptorKind(word1: read.word1) == .context)
    }

    @Test func doneChangesOneBitOnly() throws {
        var descriptor = try #require(Igbvf.TxDataDescriptor(bytes: dataBytes))
        let before = descriptor.word1
        descriptor.isDone = true
        #expect(descriptor.word1 ^ before == 1 << 32)
        #expect(E1000E.TxStatus(rawValue: UInt8(descriptor.word1 >> 32 & 0xf)).contains(.done))
    }

    @Test func lengthsBeyondTheirFieldsAreCutOff() {
        let data = Igbvf.TxDataDescriptor(bufferAddress: 0, length: .max, command: [], payloadLength: .max)
        #expect(data.payloadLength == 0x3_ffff && data.length == .max && data.options.isEmpty)
        let context = Igbvf.TxContextDescriptor(linkHeaderByteCount: 0xfff, networkHeaderByteCount: 0xffff, isIPv4: false, isTCP: false)
        #expect(context.linkHeaderByteCount == 0x7f && context.networkHeaderByteCount == 0x1ff)
    }

    @Test(arguments: [0, 0x0030_0000, 0x2000_0000, 0x2010_0000, 0x20f0_0000] as [UInt64])
    func legacyAndUnknownTypesAreOther(word1: UInt64) { #expect(Igbvf.TxDescriptorKind(word1: word1) == .other) }
}
