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
        for bytes in [map(argsz: 31), map(flags: 16), map(flags: 0x8000_0001), map(size: 0), map(address: .max - 0xfff, size: 0x2000)] {
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
        #expect(try DMAUnmapMessage.parse(words(24, 0) + longs(1 << 63, 1 << 63), descriptorCount: 0).range?.last == .max)
    }

    /// Flags that libvfio-user knows, and the text does not.
    @Test func mapByFileIOAndMappableNeedAFile() throws {
        #expect(try DMAMapMessage.parse(map(flags: 3 | 4), descriptorCount: 1).usesFileIO == false)
        let byFile = try DMAMapMessage.parse(map(flags: 1 | 8), descriptorCount: 1)
        #expect(byFile.usesFileIO && byFile.access == .read && byFile.emit() == map(flags: 1 | 8))
        for flags in [4, 8, 15] as [UInt32] {
            #expect(throws: MessageError.self) { try DMAMapMessage.parse(map(flags: flags), descriptorCount: 0) }
        }
    }

    @Test func unmapOfEverythingHasNoRange() throws {
        let bytes = words(24, 2) + longs(0, 0)
        let message = try DMAUnmapMessage.parse(bytes, descriptorCount: 0)
        #expect(message.range == nil && message.emit() == bytes)
    }

    @Test func unmapWithABitmapSaysItsPagesAndRoom() throws {
        let message = try DMAUnmapMessage.parse(words(40, 1) + longs(0x10_0000, 0x3000, 4096, 8), descriptorCount: 0)
        let request = try #require(message.bitmap)
        let written = try #require(IOVARange(start: IOVA(0x10_1000), byteCount: 0x10_0000))
        #expect(request.bitmap(written: [written]) == [0b110, 0, 0, 0, 0, 0, 0, 0])
        #expect(request.bitmap(written: []) == [UInt8](repeating: 0, count: 8))
        #expect(message.emit(dirty: [6, 0, 0, 0, 0, 0, 0, 0]) == words(48, 1) + longs(0x10_0000, 0x3000, 4096, 8, 6))
        // Page sizes that are none, bitmaps without room or of unlimited size, a range that is not made of such pages.
        for (page, size) in [(0, 8), (4095, 8), (2048, 8), (4096, 0), (4096, 1 << 30), (1 << 40, 8)] as [(UInt64, UInt64)] {
            #expect(throws: MessageError.self) {
                try DMAUnmapMessage.parse(words(40, 1) + longs(0x10_0000, 0x3000, page, size), descriptorCount: 0)
            }
        }
    }

    @Test func badUnmapIsRefused() {
        for bytes in [
            words(24, 0) + longs(0, 0), words(23, 0) + longs(0, 1), words(24, 2) + longs(0, 1), words(24, 0) + longs(.max, 2), words(24, 0),
            words(24, 3) + longs(0, 0), words(24, 2) + longs(0, 0, 0), words(24, 1) + longs(0, 0x1000), words(24, 4) + longs(0, 0x1000),
        ] {
            #expect(throws: MessageError.self) { try DMAUnmapMessage.parse(bytes, descriptorCount: 0) }
        }
        #expect(throws: MessageError.self) { try DMAUnmapMessage.parse(words(24, 0) + longs(0, 1), descriptorCount: 1) }
    }
}
