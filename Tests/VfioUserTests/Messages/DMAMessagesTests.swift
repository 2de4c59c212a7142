import DeviceMemory
import Testing

@testable import VfioUser

@Suite struct DMAMessagesTests {
    private func map(argsz: UInt32 = 32, flags: UInt32 = 3, offset: UInt64 = 0x1000, address: UInt64 = 0x8000_0000, size: UInt64 = 0x2000)
        -> [UInt8]
    {
        words(argsz, flags) + longs(offset, address, size)
    }

    @Test func mapHasItsBytes() throws {
        let range = try #require(IOVARange(start: IOVA(0x8000_0000), byteCount: 0x2000))
        let message = DMAMapMessage(access: .readWrite, fileOffset: 0x1000, range: range)
        #expect(message.emit() == map())
        #expect(try DMAMapMessage.parse(map(), descriptorCount: 1) == message)
    }

    @Test func mapWithoutDescriptorIsAllowed() throws {
        #expect(try DMAMapMessage.parse(map(flags: 1), descriptorCount: 0).access == .read)
    }

    @Test(arguments: [0, 31, 33]) func mapOfAnotherLengthIsRefused(count: Int) {
        let bytes = Array((map() + [0]).prefix(count))
        #expect(throws: MessageError.length(message: "VFIO_USER_DMA_MAP", expected: 32, actual: count)) {
            try DMAMapMessage.parse(bytes, descriptorCount: 0)
        }
    }

    @Test func mapWithTwoDescriptorsIsRefused() {
        #expect(throws: MessageError.descriptors(message: "VFIO_USER_DMA_MAP", expected: 1, actual: 2)) {
            try DMAMapMessage.parse(map(), descriptorCount: 2)
        }
    }

    @Test func mapWithBadFieldsIsRefused() {
        for bytes in [map(argsz: 31), map(flags: 4), map(flags: 0x8000_0001), map(size: 0), map(address: .max - 0xfff, size: 0x2000)] {
            #expect(throws: MessageError.self) { try DMAMapMessage.parse(bytes, descriptorCount: 1) }
        }
    }

    @Test func unmapHasItsBytes() throws {
        let bytes = words(24, 0) + longs(0x1000, 0x3000)
        let message = try DMAUnmapMessage.parse(bytes, descriptorCount: 0)
        #expect(message.range == IOVARange(start: IOVA(0x1000), byteCount: 0x3000))
        #expect(message.emit() == bytes)
    }

    @Test func unmapOfTheUpperHalfOfTheAddressSpaceIsAllowed() throws {
        #expect(try DMAUnmapMessage.parse(words(24, 0) + longs(1 << 63, 1 << 63), descriptorCount: 0).range.last == .max)
    }

    @Test func badUnmapIsRefused() {
        for bytes in [
            words(24, 0) + longs(0, 0), words(23, 0) + longs(0, 1), words(24, 2) + longs(0, 1), words(24, 0) + longs(.max, 2), words(24, 0),
        ] {
            #expect(throws: MessageError.self) { try DMAUnmapMessage.parse(bytes, descriptorCount: 0) }
        }
        #expect(throws: MessageError.self) { try DMAUnmapMessage.parse(words(24, 0) + longs(0, 1), descriptorCount: 1) }
    }
}
