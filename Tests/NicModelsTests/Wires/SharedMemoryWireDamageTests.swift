import DeviceMemory
import Glibc
import LinuxIO
@testable import NicModels
import Testing

/// What others of the same user can write into the file: it costs frames, never the process.
@Suite struct SharedMemoryWireDamageTests {
    let directory: WireDirectory
    let frame: TestFrame
    let a: SharedMemoryWire
    let b: SharedMemoryWire
    let raw: RawWireFile

    init() throws {
        directory = try WireDirectory()
        frame = try TestFrame()
        a = try directory.join()
        b = try directory.join()
        raw = try RawWireFile(directory.file("w"))
        _ = (a.hasPeers, b.hasPeers)
    }

    @Test(arguments: [0, 1, 13, 9015, 65535, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff] as [UInt32])
    func aRecordWithAnImpossibleLengthIsDroppedWithThoseBehindIt(length: UInt32) throws {
        a.send(frame(broadcast(60)))
        a.send(frame(broadcast(61)))
        raw.memory.store32(length, at: WireLayout.ringOffset(from: 0, to: 1))
        #expect(b.receive() == nil)
        #expect(b.counters.droppedDamaged == 1)
        a.send(frame(broadcast(62)))
        #expect(b.receive() == broadcast(62))
    }

    @Test func aRecordLongerThanWhatWasPublishedIsDropped() throws {
        a.send(frame(broadcast(60)))
        raw.memory.store32(1514, at: WireLayout.ringOffset(from: 0, to: 1))
        #expect(b.receive() == nil)
        #expect(b.counters.droppedDamaged == 1)
    }

    @Test(arguments: [1, 63, 262_145, 262_144 + 64, 1 << 40, .max, .max - 63, 0x8000_0000_0000_0000] as [UInt64])
    func anImpossibleTailIsSkippedAndTheNextFrameArrives(tail: UInt64) throws {
        a.send(frame(broadcast(60)))
        #expect(b.receive() != nil)
        raw.memory.store64(tail, at: WireLayout.tailOffset(from: 0, to: 1))
        while b.receive() != nil {}
        #expect(b.counters.droppedDamaged >= 1)
        // The sender's next frame is at a place that the receiver does not expect; the one after that arrives.
        a.send(frame(broadcast(61)))
        while b.receive() != nil {}
        a.send(frame(broadcast(62)))
        #expect(b.receive() == broadcast(62))
    }

    @Test(arguments: [1, 64, 1 << 40, .max, .max - 63] as [UInt64])
    func anImpossibleHeadFillsTheRingUntilItsOwnerMendsIt(head: UInt64) throws {
        raw.memory.store64(head, at: WireLayout.headOffset(from: 0, to: 1))
        for _ in 0..<60 { a.send(frame(broadcast(9014))) }
        while b.receive() != nil {}
        raw.memory.store64(head, at: WireLayout.headOffset(from: 0, to: 1))
        for _ in 0..<60 { a.send(frame(broadcast(9014))) }
        while b.receive() != nil {}
        raw.memory.store64(head, at: WireLayout.headOffset(from: 0, to: 1))
        pause(milliseconds: 110)
        #expect(b.hasPeers)
        #expect(b.counters.droppedDamaged >= 1)
        a.send(frame(broadcast(62)))
        #expect(b.receive() == broadcast(62))
    }

    @Test func aGenerationThatSomebodyTookAwayIsMended() throws {
        raw.memory.store32(0, at: WireLayout.generationOffset(1))
        pause(milliseconds: 110)
        #expect(!a.hasPeers)
        #expect(b.hasPeers)
        pause(milliseconds: 110)
        #expect(a.hasPeers)
    }

    @Test func anEndThatOnlyClaimsToBeThereIsNoCarrier() throws {
        raw.memory.store32(9, at: WireLayout.generationOffset(7))
        raw.memory.store32(77, at: WireLayout.membershipOffset)
        pause(milliseconds: 110)
        _ = a.hasPeers
        a.send(frame(broadcast(60)))
        #expect(a.counters.droppedFull == 0)
        #expect(b.receive() == broadcast(60))
    }

    @Test func aSleeperUnderAnotherGenerationThanTheSenderKnewIsWoken() throws {
        let generation = raw.memory.load32(at: WireLayout.generationOffset(1))
        raw.memory.store32(generation &+ 2, at: WireLayout.generationOffset(1))
        raw.memory.store32(1000, at: WireLayout.membershipOffset)
        #expect(a.hasCarrier)
        raw.memory.store32(generation, at: WireLayout.generationOffset(1))
        let descriptor = try #require(b.armWake())
        a.send(frame(broadcast(60)))
        a.flush()
        #expect(waitForReadable([descriptor], timeoutMilliseconds: 0) == [0])
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func randomBytesEverywhereNeverEndTheProcess(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let isControl = Bool.random(using: &random)
            let base =
                isControl
                ? 0 : WireLayout.ringOffset(from: Int.random(in: 0...1, using: &random), to: Int.random(in: 0...1, using: &random))
            let offset = base + Int.random(in: 0..<(isControl ? 76_000 : 4096), using: &random) & ~63
            raw.memory.store64(UInt64.random(in: 0...(.max), using: &random) &>> UInt64.random(in: 0..<64, using: &random), at: offset)
            a.send(frame(broadcast(Int.random(in: 14...2000, using: &random))))
            b.send(frame(broadcast(Int.random(in: 14...2000, using: &random))))
            for _ in 0..<3 { _ = (a.receive(), b.receive()) }
        }
        pause(milliseconds: 110)
        _ = (a.hasPeers, b.hasPeers)
        pause(milliseconds: 110)
        #expect(a.hasPeers && b.hasPeers, "seed \(seed)")
        while a.receive() != nil {}
        while b.receive() != nil {}
        a.send(frame(broadcast(60)))
        while b.receive() != nil {}
        a.send(frame(broadcast(61)))
        #expect(b.receive() == broadcast(61), "seed \(seed)")
    }

    private func pause(milliseconds: Int32) { _ = waitForReadable([], timeoutMilliseconds: milliseconds) }
}

@Suite struct SharedMemoryWireStaleFileTests {
    let directory: WireDirectory
    let frame: TestFrame

    init() throws {
        directory = try WireDirectory()
        frame = try TestFrame()
    }

    @Test(arguments: [1, 4096, 67_239_936, 80_000_000]) func aFileThatNobodyHoldsIsMadeAnew(byteCount: Int) throws {
        do {
            let file = try OwnedDescriptor.open(directory.file("w"), flags: O_CREAT | O_RDWR, mode: 0o600)
            try file.write([UInt8](repeating: 0xee, count: min(byteCount, 200_000)), at: 0, subject: "w")
            try file.resize(to: byteCount, subject: "w")
        }
        let a = try directory.join(), b = try directory.join()
        #expect(a.end == 0 && b.end == 1)
        a.send(frame(broadcast(60)))
        #expect(b.receive() == broadcast(60))
        #expect(b.counters.droppedDamaged == 0)
    }

    @Test func aFileOfAnotherVersionInUseIsRefused() throws {
        let a = try directory.join()
        let raw = try RawWireFile(directory.file("w"))
        raw.memory.store32(99, at: WireLayout.versionOffset)
        #expect { try directory.join() } throws: { "\($0)".contains("another version") }
        #expect(!a.hasPeers)
    }

    @Test func aFileWhoseNameIsGoneIsLeftAloneByWhoeverJoinsNext() throws {
        let a = try directory.join()
        // SAFETY: the C string lives for the call.
        #expect(unsafe unlink(directory.file("w")) == 0)
        var b: SharedMemoryWire? = try directory.join()
        #expect(!a.hasPeers)
        #expect(b?.hasPeers == false)
        b = nil
        #expect(!directory.exists("w"))
    }
}

/// The wire's file as any process of the same user can map it.
final class RawWireFile {
    private let file: OwnedDescriptor
    private let pages: MappedPages

    init(_ path: String) throws {
        let file = try OwnedDescriptor.open(path, flags: O_RDWR)
        pages = try MappedPages(sharing: file, byteCount: WireLayout.byteCount, subject: path)
        self.file = file
    }

    var memory: MemoryWindow {
        // SAFETY: exactly the mapping that this object owns; tests keep the object.
        unsafe MemoryWindow(pages.address, byteCount: pages.byteCount)
    }
}
