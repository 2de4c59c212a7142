import CLinuxShims
import DeviceMemory
import Glibc
import LinuxIO
import Testing

@testable import VfioUser

/// DMA_MAP and DMA_UNMAP in raw bytes, and what they leave behind.
@Suite struct ServerMemoryTests {
    private func map(_ address: UInt64, _ size: UInt64, offset: UInt64 = 0, flags: UInt32 = 3) -> [UInt8] {
        words(32, flags) + longs(offset, address, size)
    }
    private func unmap(_ address: UInt64, _ size: UInt64) -> [UInt8] { words(24, 0) + longs(address, size) }

    @Test func mapIsCountedAndUnmapAnswersWithItsEntry() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let file = try MemoryFile.create(name: "unic-test", byteCount: 0x4000)
        #expect(try peer.exchange(.dmaMap, map(0x10000, 0x2000, offset: 0x1000), descriptors: [file.number]).payload.isEmpty)
        #expect(server.eventually { $0.maps == 1 && $0.mappedByteCount == 0x2000 && $0.mappedFiles == 1 })
        #expect(try peer.exchange(.dmaUnmap, unmap(0x10000, 0x2000)).payload == unmap(0x10000, 0x2000))
        #expect(server.eventually { $0.maps == 0 && $0.mappedFiles == 0 })
    }

    @Test func overlappingMapIsEEXIST() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let file = try MemoryFile.create(name: "unic-test", byteCount: 0x4000)
        _ = try peer.exchange(.dmaMap, map(0x10000, 0x2000), descriptors: [file.number])
        #expect(try peer.exchange(.dmaMap, map(0x11000, 0x2000), descriptors: [file.number]).header.errno == 17)
        #expect(try peer.exchange(.dmaMap, map(0x11000, 0x1000)).header.errno == 17)
        #expect(try !peer.exchange(.dmaMap, map(0x20000, 0x1000)).header.isError)
        #expect(try peer.exchange(.dmaMap, map(0x20000, 0x1000), descriptors: [file.number]).header.errno == 17)
    }

    @Test func fileIsMappedOnceForManyRanges() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let name = "unic-many-\(MonotonicClock.nanoseconds())"
        let file = try MemoryFile.create(name: name, byteCount: 0x100000)
        for page in 0..<256 as Range<UInt64> {
            // Every second page, so that nothing can be merged.
            #expect(
                try !peer.exchange(.dmaMap, map(page * 0x2000, 0x1000, offset: page * 0x1000), descriptors: [file.number]).header.isError)
        }
        #expect(OpenDescriptors.mappings(of: name) == 1)
        #expect(OpenDescriptors.count(pointingAt: name) == 1)
        #expect(server.eventually { $0.maps == 256 && $0.mappedFiles == 1 })
        #expect(try !peer.exchange(.dmaUnmap, unmap(0, 0x200000)).header.isError)
        #expect(OpenDescriptors.mappings(of: name) == 0)
    }

    @Test func unmapOfAnEmptyWindowSucceeds() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        #expect(try !peer.exchange(.dmaUnmap, unmap(0, 1 << 63)).header.isError)
        #expect(try !peer.exchange(.dmaUnmap, unmap(1 << 63, 1 << 63)).header.isError)
    }

    @Test func unmapThatCutsAMappingIsRefused() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let file = try MemoryFile.create(name: "unic-test", byteCount: 0x4000)
        _ = try peer.exchange(.dmaMap, map(0, 0x4000), descriptors: [file.number])
        #expect(try peer.exchange(.dmaUnmap, unmap(0, 0x2000)).header.errno == 22)
        #expect(server.eventually { $0.maps == 1 })
    }

    @Test func mapWithoutDescriptorIsToleratedAndUnmapped() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        #expect(try !peer.exchange(.dmaMap, map(0xfffc_0000, 0x40000, flags: 1)).header.isError)
        #expect(try !peer.exchange(.dmaUnmap, unmap(0xfffc_0000, 0x40000)).header.isError)
        #expect(server.eventually { $0.maps == 0 })
    }

    @Test func mapsWithoutDescriptorHaveALimit() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        var refused = 0
        for page in 0..<1030 as Range<UInt64> where try peer.exchange(.dmaMap, map(page << 12, 0x1000)).header.isError { refused += 1 }
        #expect(refused == 6)
    }

    @Test func rangeBeyondTheFileIsRefused() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let file = try MemoryFile.create(name: "unic-test", byteCount: 0x4000)
        for bytes in [
            map(0, 0x5000), map(0, 0x1000, offset: 0x4000), map(0, 0x1000, offset: 0xffff_ffff_ffff_f000), map(0, 0x1000, offset: 1 << 63),
        ] {
            #expect(try peer.exchange(.dmaMap, bytes, descriptors: [file.number]).header.errno == 22)
        }
    }

    @Test func rangeThatIsNotWholePagesIsRefused() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let file = try MemoryFile.create(name: "unic-test", byteCount: 0x4000)
        for bytes in [map(1, 0x1000), map(0, 0x1001), map(0, 0x1000, offset: 8), map(0, 0x1000, flags: 0)] {
            #expect(try peer.exchange(.dmaMap, bytes, descriptors: [file.number]).header.errno == 22)
        }
    }

    @Test func descriptorThatIsNoMemoryIsRefused() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let event = try EventFD()
        let device = try OwnedDescriptor.open("/dev/zero", flags: O_RDWR)
        let file = try OwnedDescriptor.open("/proc/self/maps", flags: O_RDONLY)
        for number in [event.number, device.number, file.number] {
            #expect(try peer.exchange(.dmaMap, map(0, 0x1000), descriptors: [number]).header.errno == 22)
        }
    }

    @Test func memoryThatCanShrinkIsRefusedWhenSealsAreRequired() throws {
        var options = ServerOptions()
        options.requiresSealedMemory = true
        let server = try RunningServer(options)
        let peer = try RawPeer(connectingTo: server.path)
        // SAFETY: the C string lives for the call.
        let open = OwnedDescriptor(adopting: unsafe unic_memfd_create("unic-unsealed", 0))
        #expect(ftruncate(open.number, 0x1000) == 0)
        #expect(try peer.exchange(.dmaMap, map(0, 0x1000), descriptors: [open.number]).header.errno == 1)
        let sealed = try MemoryFile.create(name: "unic-sealed", byteCount: 0x1000)
        #expect(try !peer.exchange(.dmaMap, map(0, 0x1000), descriptors: [sealed.number]).header.isError)
    }

    /// F_SEAL_WRITE. Kernels before 6.7 let nobody share such a file, not even to read it (mm/memfd.c, mm/mmap.c).
    @Test func memoryThatIsSealedAgainstWritingCanOnlyBeReadIfAtAll() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        // SAFETY: the C string lives for the call.
        let file = OwnedDescriptor(adopting: unsafe unic_memfd_create("unic-write-sealed", 2))
        // SAFETY: the array lives for the call and has that length.
        let written = unsafe Glibc.write(file.number, [UInt8](repeating: 3, count: 0x1000), 0x1000)
        #expect(written == 0x1000)
        // linux/fcntl.h: F_SEAL_WRITE is 8, F_SEAL_SHRINK 2.
        #expect(unic_fcntl(file.number, Int32(UNIC_F_ADD_SEALS), 8 | 2) == 0)
        for flags: UInt32 in [2, 3] {
            #expect(try peer.exchange(.dmaMap, map(0, 0x1000, flags: flags), descriptors: [file.number]).header.errno == 1)
        }
        let reading = try peer.exchange(.dmaMap, map(0, 0x1000, flags: 1), descriptors: [file.number])
        func set(_ offset: UInt64, _ value: UInt64) throws {
            _ = try peer.exchange(.regionWrite, longs(offset) + words(0, 8) + longs(value))
        }
        func get(_ offset: UInt64) throws -> UInt64 {
            Array(try peer.exchange(.regionRead, longs(offset) + words(0, 8)).payload.suffix(8)).littleEndianValue
        }
        try set(ToyModel.Offset.length, 0x1000)
        try set(ToyModel.Offset.command, ToyModel.Command.sum)
        if reading.header.isError {
            #expect(try reading.header.errno == 1 && get(ToyModel.Offset.status) == 2)
        } else {
            #expect(try get(ToyModel.Offset.status) == 1 && get(ToyModel.Offset.sum) == 3 * 0x1000)
        }
        try set(ToyModel.Offset.command, ToyModel.Command.fill)
        #expect(try get(ToyModel.Offset.status) == 2, "nothing can be written")
    }

    @Test func hangUpGivesMemoryAndEventfdsBack() throws {
        let server = try RunningServer()
        let name = "unic-hangup-\(MonotonicClock.nanoseconds())"
        let file = try MemoryFile.create(name: name, byteCount: 0x4000)
        let event = try EventFD()
        do {
            let peer = try RawPeer(connectingTo: server.path)
            _ = try peer.exchange(.dmaMap, map(0, 0x4000), descriptors: [file.number])
            _ = try peer.exchange(.deviceSetIRQs, words(20, 0x24, 2, 0, 1), descriptors: [event.number])
            #expect(OpenDescriptors.count(ofEventFD: event.number) == 2)
            #expect(OpenDescriptors.mappings(of: name) == 1)
        }
        #expect(eventually { OpenDescriptors.mappings(of: name) == 0 && OpenDescriptors.count(ofEventFD: event.number) == 1 })
    }

    @Test func refusedMessagesCloseTheirDescriptors() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let name = "unic-refused-\(MonotonicClock.nanoseconds())"
        let file = try MemoryFile.create(name: name, byteCount: 0x4000)
        let numbers = [Int32](repeating: file.number, count: 16)
        for command in Command.allCases { #expect(try peer.exchange(command, [1, 2, 3], descriptors: numbers).header.isError) }
        #expect(OpenDescriptors.count(pointingAt: name) == 1)
    }

    @Test func moreDescriptorsThanAllowedEndTheConnectionAndAreClosed() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let name = "unic-toomany-\(MonotonicClock.nanoseconds())"
        let file = try MemoryFile.create(name: name, byteCount: 0x4000)
        let bytes = RawPeer.command(2, map(0, 0x1000))
        // In pieces, each with as many as one message may have.
        try peer.send(Array(bytes[0..<4]), descriptors: [Int32](repeating: file.number, count: 16))
        try peer.send(Array(bytes[4..<8]), descriptors: [file.number])
        #expect(try peer.receive() == nil)
        #expect(eventually { OpenDescriptors.count(pointingAt: name) == 1 })
    }
}
