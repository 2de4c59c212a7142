import Testing

@testable import VfioUser

@Suite struct InfoMessagesTests {
    @Test func deviceInfoHasItsBytes() throws {
        let message = DeviceInfoMessage(supportsReset: true, isPCI: true, regionCount: 9, interruptIndexCount: 5)
        #expect(message.emit() == words(16, 3, 9, 5))
        #expect(try DeviceInfoMessage.parse(words(16, 3, 9, 5), descriptorCount: 0) == message)
    }

    @Test func badDeviceInfoIsRefused() {
        for bytes in [words(15, 0, 0, 0), words(16, 0, 0), words(16, 0, 0, 0, 0)] {
            #expect(throws: MessageError.self) { try DeviceInfoMessage.parse(bytes, descriptorCount: 0) }
        }
        #expect(throws: MessageError.self) { try DeviceInfoMessage.parse(words(16, 0, 0, 0), descriptorCount: 1) }
    }

    @Test func irqInfoHasItsBytes() throws {
        let message = IRQInfoMessage(flags: [.eventfd, .noResize], index: 2, count: 5)
        #expect(message.emit() == words(16, 9, 2, 5))
        #expect(try IRQInfoMessage.parse(words(16, 9, 2, 5), descriptorCount: 0) == message)
    }

    @Test func badIRQInfoIsRefused() {
        for bytes in [words(0, 0, 0, 0), words(16, 0, 2), words(16, 0, 2, 0, 0)] {
            #expect(throws: MessageError.self) { try IRQInfoMessage.parse(bytes, descriptorCount: 0) }
        }
    }
}

@Suite struct RegionInfoMessageTests {
    private let region = RegionInfoMessage(
        argumentByteCount: 80, isReadable: true, isWritable: true, isMappable: true, index: 0, regionByteCount: 0x4000, fileOffset: 0x1000,
        areas: [0x2000..<0x3000, 0x3000..<0x4000])

    @Test func replyWithAreasHasItsBytes() throws {
        let bytes =
            words(80, 0xf, 0, 32) + longs(0x4000, 0x1000) + [1, 0, 1, 0] + words(0, 2, 0) + longs(0x2000, 0x1000, 0x3000, 0x1000)
        #expect(region.emit() == bytes)
        #expect(try RegionInfoMessage.parseReply(bytes, descriptorCount: 1) == region)
    }

    @Test func replyWithoutRoomSaysOnlyHowMuchIsNeeded() {
        #expect(region.emit(roomByteCount: 79) == words(80, 3, 0, 0) + longs(0x4000, 0x1000))
    }

    @Test func secondRequestOfQEMUWithFieldsOfTheFirstReplyIsAccepted() throws {
        let request = try RegionInfoMessage.parseRequest(words(64, 3, 4, 0) + longs(0x4000, 0), descriptorCount: 0)
        #expect(request.index == 4 && request.argumentByteCount == 64)
    }

    @Test func badRequestIsRefused() {
        for bytes in [words(31, 0, 0, 0) + longs(0, 0), words(32, 0, 0, 0) + longs(0), words(32, 0, 0, 0) + longs(0, 0, 0)] {
            #expect(throws: MessageError.self) { try RegionInfoMessage.parseRequest(bytes, descriptorCount: 0) }
        }
        #expect(throws: MessageError.self) { try RegionInfoMessage.parseRequest(words(32, 0, 0, 0) + longs(0, 0), descriptorCount: 1) }
    }

    @Test func capabilityListThatLoopsIsRefused() {
        let bytes = words(80, 0xf, 0, 32) + longs(0x4000, 0) + [9, 0, 1, 0] + words(32) + [UInt8](repeating: 0, count: 40)
        #expect(throws: MessageError.self) { try RegionInfoMessage.parseReply(bytes, descriptorCount: 1) }
    }

    @Test(arguments: [8, 31, 73, UInt32.max]) func capabilityOutsideOfTheReplyIsRefused(offset: UInt32) {
        let bytes = words(80, 0xf, 0, offset) + longs(0x4000, 0) + [UInt8](repeating: 0, count: 48)
        #expect(throws: MessageError.self) { try RegionInfoMessage.parseReply(bytes, descriptorCount: 1) }
    }

    @Test(arguments: [2, 1025, UInt32.max]) func moreAreasThanBytesIsRefused(count: UInt32) {
        let bytes = words(64, 0xf, 0, 32) + longs(0x4000, 0) + [1, 0, 1, 0] + words(0, count, 0) + longs(0, 0x1000)
        #expect(throws: MessageError.self) { try RegionInfoMessage.parseReply(bytes, descriptorCount: 1) }
    }

    @Test func areaThatWrapsIsRefused() {
        let bytes = words(64, 0xf, 0, 32) + longs(0x4000, 0) + [1, 0, 1, 0] + words(0, 1, 0) + longs(.max, 2)
        #expect(throws: MessageError.self) { try RegionInfoMessage.parseReply(bytes, descriptorCount: 1) }
    }

    @Test func otherCapabilitiesAreSkipped() throws {
        let bytes =
            words(72, 0xf, 0, 32) + longs(0x4000, 0) + [7, 0, 1, 0] + words(40) + [1, 0, 1, 0] + words(0, 1, 0) + longs(0x1000, 0x1000)
        #expect(try RegionInfoMessage.parseReply(bytes, descriptorCount: 1).areas == [0x1000..<0x2000])
    }
}
