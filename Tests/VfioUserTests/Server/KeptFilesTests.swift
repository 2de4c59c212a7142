import DeviceMemory
import LinuxIO
import Testing

@testable import VfioUser

/// Files of the client's memory that are kept open, for who shows that memory to others.
@Suite struct KeptFilesTests {
    private func map(
        _ memory: GuestMemory, _ file: borrowing OwnedDescriptor, at address: UInt64, offset: UInt64 = 0
    ) throws -> IOVAMapping {
        let range = try #require(IOVARange(start: IOVA(address), byteCount: 0x1000))
        let message = DMAMapMessage(access: .readWrite, fileOffset: offset, range: range)
        let isDirect = try memory.map(message, descriptor: try file.duplicate())
        #expect(isDirect)
        return IOVAMapping(range: range, physical: GuestPhysicalAddress(address), access: .readWrite)
    }

    @Test func aFileIsKeptOnceUntilTheLastRangeInItGoes() throws {
        let space = DMASpace()
        let memory = GuestMemory(space: space, requiresSealedMemory: false, keepsFiles: true)
        let name = "unic-kept-\(MonotonicClock.nanoseconds())"
        let file = try MemoryFile.create(name: name, byteCount: 0x8000)
        let first = try map(memory, file, at: 0x1_0000, offset: 0x3000)
        let second = try map(memory, file, at: 0x1_1000, offset: 0x1000)
        #expect(OpenDescriptors.count(pointingAt: name) == 2)
        let pieces = [first, second].compactMap { space.filePieces(behind: $0)?.first }
        #expect(pieces.map(\.fileOffset) == [0x3000, 0x1000])
        #expect(try FileFacts(of: pieces[0].file.number).inode == FileFacts(of: file.number).inode)
        try memory.unmap(first.range)
        #expect(space.filePieces(behind: first) == nil && space.filePieces(behind: second)?.count == 1)
        try memory.unmap(second.range)
        withExtendedLifetime(pieces) { #expect(OpenDescriptors.count(pointingAt: name) == 2) }
    }

    @Test func theyGoWithTheClient() throws {
        let memory = GuestMemory(space: DMASpace(), requiresSealedMemory: false, keepsFiles: true)
        let name = "unic-kept-\(MonotonicClock.nanoseconds())"
        let file = try MemoryFile.create(name: name, byteCount: 0x8000)
        for page in 0..<4 as Range<UInt64> { _ = try map(memory, file, at: page << 16) }
        memory.unmapAll()
        #expect(OpenDescriptors.count(pointingAt: name) == 1)
    }

    /// What is beyond the limit is mapped all the same, and cannot be shown to others.
    @Test func soManyAreKeptAndNoMore() throws {
        let space = DMASpace()
        let memory = GuestMemory(space: space, requiresSealedMemory: false, keepsFiles: true)
        let name = "unic-kept-\(MonotonicClock.nanoseconds())"
        var mappings: [IOVAMapping] = []
        for number in 0...GuestMemory.maximumKeptFiles {
            mappings.append(try map(memory, try MemoryFile.create(name: name, byteCount: 0x1000), at: UInt64(number) << 16))
        }
        #expect(OpenDescriptors.count(pointingAt: name) == GuestMemory.maximumKeptFiles)
        #expect(mappings.count { space.filePieces(behind: $0) != nil } == GuestMemory.maximumKeptFiles)
        try memory.unmap(mappings[0].range)
        let file = try MemoryFile.create(name: name, byteCount: 0x1000)
        let late = try map(memory, file, at: 0x1000_0000)
        #expect(space.filePieces(behind: late)?.count == 1)
    }

    @Test func whoDoesNotAskForThemKeepsNone() throws {
        let space = DMASpace()
        let memory = GuestMemory(space: space, requiresSealedMemory: false)
        let name = "unic-kept-\(MonotonicClock.nanoseconds())"
        let file = try MemoryFile.create(name: name, byteCount: 0x8000)
        let mapping = try map(memory, file, at: 0x1_0000)
        #expect(OpenDescriptors.count(pointingAt: name) == 1 && space.filePieces(behind: mapping) == nil)
    }
}
