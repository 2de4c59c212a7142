import DeviceMemory
import NicModels
import Testing

@Suite struct CableWireTests {
    private func send(_ bytes: [UInt8], on wire: CableWire) throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        memory.window.store(bytes, at: 0)
        wire.send(memory.window.slice(at: 0, byteCount: bytes.count))
    }

    @Test func framesArriveInOrderAtTheOtherEndOnly() throws {
        let (a, b) = try CableWire.pair()
        try send([1, 2, 3], on: a)
        try send([4], on: a)
        #expect(a.nextReceived() == nil)
        #expect(b.nextReceived()?.bytes(at: 0, byteCount: 3) == [1, 2, 3])
        b.dropReceived()
        #expect(b.nextReceived()?.bytes(at: 0, byteCount: 1) == [4])
        #expect(b.counters.receivedFrames == 1)
    }

    @Test func aFullCableDropsAndCounts() throws {
        let (a, b) = try CableWire.pair(depth: 2)
        for byte: UInt8 in 0..<3 { try send([byte], on: a) }
        #expect(
            a.counters
                == {
                    var counters = WireCounters(); counters.sentFrames = 3; counters.droppedFull = 1; return counters
                }())
        b.dropReceived()
        try send([9], on: a)
        b.dropReceived()
        #expect(b.nextReceived()?.load8(at: 0) == 9)
    }

    @Test func anUnpluggedEndHasNoCarrier() throws {
        let (a, b) = try CableWire.pair()
        #expect(a.hasCarrier && b.hasCarrier)
        a.disconnect()
        #expect(!a.hasCarrier && !b.hasCarrier)
        try send([1], on: a)
        #expect(b.nextReceived() == nil)
    }
}
