import DeviceMemory
import LinuxIO
import Testing

@testable import VfioUser

/// Commands that few clients send, in raw bytes.
@Suite struct ServerFurtherCommandsTests {
    private typealias Offset = ToyModel.Offset

    private func write(_ offset: UInt64, _ value: UInt64) -> [UInt8] { longs(offset) + words(0, 8) + longs(value) }

    @Test func severalWritesInOneMessageAreDoneInOrder() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let bytes = longs(3) + write(Offset.scratch, 1) + write(Offset.scratch, 2) + write(Offset.pattern, 9)
        let reply = try peer.exchange(.regionWriteMulti, bytes)
        #expect(reply.payload == longs(3) && !reply.header.isError)
        #expect(try peer.exchange(.regionRead, longs(Offset.scratch) + words(0, 8)).payload.suffix(8) == longs(2)[...])
        // QEMU wants no answer.
        try peer.send(RawPeer.command(15, longs(1) + write(Offset.scratch, 5), noReply: true))
        #expect(try peer.exchange(.regionRead, longs(Offset.scratch) + words(0, 8)).payload.suffix(8) == longs(5)[...])
    }

    @Test func aBadOneAmongSeveralWritesLeavesAllUndone() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let good = write(Offset.scratch, 7)
        let beyond = longs(0x3ffc) + words(0, 8) + longs(0)
        let long = longs(0) + words(0, 9) + longs(0)
        let empty = longs(0) + words(0, 0) + longs(0)
        for bytes in [
            longs(2) + good + beyond, longs(2) + good + long, longs(2) + good + empty, longs(2) + good, longs(1) + good + [0],
            longs(.max) + good, longs(1 << 61) + good, [1, 2],
        ] {
            #expect(try peer.exchange(.regionWriteMulti, bytes).header.errno == 22, "\(bytes)")
        }
        #expect(try peer.exchange(.regionRead, longs(Offset.scratch) + words(0, 8)).payload.suffix(8) == longs(0)[...])
    }

    @Test func anEventfdStandsForWritesOfNotifyRegisters() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        // Two steps, as for region information.
        let short = try peer.exchange(.deviceGetRegionIOFDs, words(16, 0, 0, 0))
        #expect(short.payload == words(96, 0, 0, 2) && short.descriptors.isEmpty)
        let whole = try peer.exchange(.deviceGetRegionIOFDs, words(96, 0, 0, 0))
        let place: (UInt64) -> [UInt8] = { longs($0, 0) + words(0, 0, 0, 0) + longs(0) }
        #expect(whole.payload == words(96, 0, 0, 2) + place(0x2000) + place(0x3000))
        guard let descriptor = whole.takeDescriptor(), let event = EventFD.adopt(verifying: descriptor) else {
            Issue.record("no eventfd came")
            return
        }
        // The server sleeps: nothing is enabled. Memory changes, and only the eventfd says so.
        let region = try peer.exchange(.deviceGetRegionInfo, words(80, 0, 0, 0) + longs(0, 0))
        guard let file = region.takeDescriptor() else {
            Issue.record("no file came")
            return
        }
        let pages = try MappedPages(sharing: file, fileOffset: 0x2000, byteCount: 4096, subject: "doorbells")
        sleepMicroseconds(200_000)
        unsafe pages.address.storeBytes(of: 1, as: UInt32.self)
        event.signal()
        #expect(
            eventually {
                (try? peer.exchange(.regionRead, longs(Offset.doorbells) + words(0, 8)).payload.suffix(8)) == longs(1)[...]
            })
        for bad in [words(16, 0, 2, 0), words(16, 0, 9, 0), words(15, 0, 0, 0), words(16, 1, 0, 0), words(16, 0, 0, 1), words(16, 0, 0)] {
            #expect(try peer.exchange(.deviceGetRegionIOFDs, bad).header.errno == 22)
        }
    }

    @Test func eventfdsTellOfMasking() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let masked = try EventFD()
        let unmasked = try EventFD()
        #expect(try !peer.exchange(.deviceSetIRQs, words(20, 0x0c, 2, 1, 1), descriptors: [masked.number]).header.isError)
        #expect(try !peer.exchange(.deviceSetIRQs, words(20, 0x14, 2, 1, 1), descriptors: [unmasked.number]).header.isError)
        for (flags, expected) in [(0x09, (1, 0)), (0x09, (0, 0)), (0x11, (0, 1))] as [(UInt32, (UInt64, UInt64))] {
            #expect(try !peer.exchange(.deviceSetIRQs, words(20, flags, 2, 1, 1)).header.isError)
            #expect((masked.drain(), unmasked.drain()) == expected)
        }
        // Interrupts that have no mask.
        #expect(try peer.exchange(.deviceSetIRQs, words(20, 0x0c, 3, 0, 1), descriptors: [masked.number]).header.errno == 22)
    }

    @Test func intxMasksItselfUntilTheClientUnmasksIt() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        #expect(try peer.exchange(.deviceGetIRQInfo, words(16, 0, 0, 0)).payload == words(16, 7, 0, 1))
        let event = try EventFD()
        #expect(try !peer.exchange(.deviceSetIRQs, words(20, 0x24, 0, 0, 1), descriptors: [event.number]).header.isError)
        func fire() throws { _ = try peer.exchange(.regionWrite, write(Offset.command, ToyModel.Command.intx)) }
        try fire()
        #expect(event.drain() == 1)
        try fire()
        #expect(event.drain() == 0)
        #expect(try !peer.exchange(.deviceSetIRQs, words(20, 0x11, 0, 0, 1)).header.isError)
        #expect(event.drain() == 1)
    }

    @Test func unmapOfEverythingAndOfDirtyPages() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let file = try MemoryFile.create(name: "dirty", byteCount: 0x4000)
        func map(_ flags: UInt32, _ iova: UInt64, _ size: UInt64) throws {
            let bytes = words(32, flags) + longs(0, iova, size)
            #expect(try !peer.exchange(.dmaMap, bytes, descriptors: [file.number]).header.isError)
        }
        try map(3, 0x10000, 0x2000)
        try map(1, 0x12000, 0x1000)
        let reply = try peer.exchange(.dmaUnmap, words(40, 1) + longs(0x10000, 0x3000, 4096, 8))
        #expect(reply.payload == words(48, 1) + longs(0x10000, 0x3000, 4096, 8, 0b011))
        try map(3, 0x10000, 0x1000)
        try map(3, 1 << 40, 0x1000)
        #expect(try !peer.exchange(.dmaUnmap, words(24, 2) + longs(0, 0)).header.isError)
        #expect(server.eventually { $0.maps == 0 && $0.mappedFiles == 0 })
    }
}
