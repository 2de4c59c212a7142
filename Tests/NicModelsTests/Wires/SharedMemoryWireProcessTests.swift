import DeviceMemory
import LinuxIO
import NicModels
import Testing

@Suite(.serialized) struct SharedMemoryWireProcessTests {
    let directory: WireDirectory
    let frame: TestFrame

    init() throws {
        directory = try WireDirectory()
        frame = try TestFrame()
    }

    @Test func framesCrossBetweenProcesses() throws {
        let a = try directory.join()
        let peer = try WirePeerProcess(directory, "w", ["echo", "3"])
        #expect(peer.nextLine() == "joined 1")
        for size in [14, 1514, 9014] {
            a.send(frame(broadcast(size, fill: UInt8(size & 0x7f))))
            #expect(try next(a) == broadcast(size, fill: UInt8(size & 0x7f)))
        }
        #expect(peer.end() == .exited(0))
        #expect(!a.hasPeers)
    }

    @Test func aProcessKilledInMidTrafficLeavesWholeFramesAndItsPlace() throws {
        let a = try directory.join()
        for round in 0..<5 {
            let peer = try WirePeerProcess(directory, "w", ["flood"])
            #expect(peer.nextLine() == "joined 1")
            var checked = 0
            let deadline = Deadline(afterMilliseconds: 5000)
            while checked < 500 + round * 37, !deadline.hasPassed { checked += try checkNumbered(a) }
            #expect(peer.killNow() == .signalled(9))
            while a.nextReceived() != nil { _ = try checkNumbered(a) }
            #expect(checked >= 500)
            #expect(a.counters.droppedDamaged == 0)
            _ = waitForReadable([], timeoutMilliseconds: 110)
            #expect(!a.hasPeers)
        }
        let again = try directory.join()
        #expect(again.end == 1)
        #expect(again.receive() == nil)
        a.send(frame(broadcast(60)))
        #expect(again.receive() == broadcast(60))
    }

    @Test func aWireWhoseOnlyEndWasKilledIsFreshForTheNext() throws {
        let peer = try WirePeerProcess(directory, "w", ["join"])
        #expect(peer.nextLine() == "joined 0")
        #expect(peer.killNow() == .signalled(9))
        #expect(directory.exists("w"))
        let a = try directory.join()
        #expect(a.end == 0)
        #expect(!a.hasPeers)
    }

    /// Takes one frame of wire-peer's if there is one, and checks every byte of it.
    private func checkNumbered(_ wire: SharedMemoryWire) throws -> Int {
        guard let bytes = wire.receive() else { return 0 }
        let number = bytes[6...9].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let count = bytes[10...13].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        #expect(Int(count) == bytes.count)
        #expect(bytes.count == 14 + Int(number &* 2_654_435_761 % 9001))
        #expect(Array(bytes[14...]) == [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bytes.count - 14))
        return 1
    }

    private func next(_ wire: SharedMemoryWire) throws -> [UInt8]? {
        let deadline = Deadline(afterMilliseconds: 5000)
        while !deadline.hasPassed {
            if let bytes = wire.receive() { return bytes }
            Processor.yield()
        }
        return nil
    }
}
