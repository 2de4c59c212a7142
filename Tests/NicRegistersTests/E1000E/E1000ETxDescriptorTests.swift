import NicRegisters
import Testing

@Suite struct E1000ETxDescriptorTests {
    @Test func legacyDescriptorIsItsBytes() throws {
        let bytes: [UInt8] = [0, 0x20, 0, 0, 0, 0, 0, 0, 0x40, 0x00, 0x32, 0x4f, 0x00, 0x22, 0x0a, 0x00]
        let made = E1000E.TxLegacyDescriptor(
            bufferAddress: 0x2000, length: 64,
            command: [.endOfPacket, .insertFCS, .insertChecksum, .reportStatus, .insertVLAN],
            checksumOffset: 0x32, checksumStart: 0x22, vlanTag: 10)
        #expect(made.bytes == bytes)

        let read = try #require(E1000E.TxLegacyDescriptor(bytes: bytes))
        #expect(read.bufferAddress == 0x2000 && read.length == 64)
        #expect(read.checksumOffset == 0x32 && read.checksumStart == 0x22 && read.vlanTag == 10)
        #expect(read.command == made.command)
        #expect(E1000E.TxDescriptorKind(word1: read.word1) == .legacy)
    }

    @Test func contextDescriptorIsItsBytes() throws {
        let bytes: [UInt8] = [
            0x0e, 0x18, 0x21, 0x00, 0x22, 0x32, 0x00, 0x00, 0x10, 0x27, 0x00, 0x2f, 0x00, 0x36, 0xb4, 0x05,
        ]
        let made = E1000E.TxContextDescriptor(
            ip: .init(start: 14, offset: 24, end: 33), tcpUDP: .init(start: 34, offset: 50), payloadLength: 10000,
            command: [.contextTCP, .contextIPv4, .segmentation, .reportStatus], headerLength: 54, maximumSegment: 1460)
        #expect(made.bytes == bytes)

        let read = try #require(E1000E.TxContextDescriptor(bytes: bytes))
        #expect(read.ip == .init(start: 14, offset: 24, end: 33))
        #expect(read.tcpUDP == .init(start: 34, offset: 50, end: 0))
        #expect(read.payloadLength == 10000 && read.headerLength == 54 && read.maximumSegment == 1460)
        #expect(E1000E.TxDescriptorKind(word1: read.word1) == .context)
    }

    @Test func dataDescriptorIsItsBytes() throws {
        let bytes: [UInt8] = [0, 0, 0, 0x40, 0x12, 0, 0, 0, 0x3a, 0x23, 0x10, 0x2b, 0x00, 0x03, 0x07, 0x00]
        let made = E1000E.TxDataDescriptor(
            bufferAddress: 0x12_4000_0000, length: 9018, command: [.endOfPacket, .insertFCS, .reportStatus],
            options: [.insertIPChecksum, .insertTCPUDPChecksum], vlanTag: 7)
        #expect(made.bytes == bytes)

        let read = try #require(E1000E.TxDataDescriptor(bytes: bytes))
        #expect(read.bufferAddress == 0x12_4000_0000 && read.length == 9018 && read.vlanTag == 7)
        #expect(read.options == [.insertIPChecksum, .insertTCPUDPChecksum])
        #expect(read.command == [.endOfPacket, .insertFCS, .reportStatus, .extended])
        #expect(!read.wantsTimeStamp)
        #expect(E1000E.TxDescriptorKind(word1: read.word1) == .data)
    }

    @Test func doneChangesOneByteOnly() {
        var descriptor = E1000E.TxDataDescriptor(
            bufferAddress: 0x1000, length: 60, command: [.endOfPacket, .reportStatus], vlanTag: 0xffff)
        let before = descriptor.bytes
        descriptor.status = .done
        let changed = zip(before, descriptor.bytes).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
        #expect(changed == [12])
        #expect(descriptor.status == .done)
    }

    @Test func lengthBeyondItsFieldIsCutOff() {
        let descriptor = E1000E.TxDataDescriptor(bufferAddress: 0, length: 0xffff_ffff, command: [])
        #expect(descriptor.length == 0xf_ffff)
        #expect(E1000E.TxDescriptorKind(word1: descriptor.word1) == .data)
    }

    @Test func unknownTypeIsReserved() {
        #expect(E1000E.TxDescriptorKind(word1: 0x20f0_0000) == .reserved(15))
    }
}
