import DeviceMemory
import NicModels
import NicRegisters
import Testing

/// Receive side scaling: which queue a frame goes to, and what its descriptor says.
@Suite struct E1000ESpreadingTests {
    /// Entries take turns; the hash is in the descriptor.
    func start(_ bench: Bench, hashing: E1000E.MultipleQueuesControl = [.tcpIPv4, .ipv4, .tcpIPv6Extended, .ipv6], mode: UInt32 = 1) {
        bench.startReceive(count: 8, given: 7)
        bench.write([.ipOffload, .tcpUDPOffload, .packetChecksumDisable], to: E1000E.rxcsum)
        for (row, word) in ToeplitzHash.standardKeyWords.enumerated() { bench.write(word, to: E1000E.rssrk[row]) }
        for row in 0..<E1000E.reta.count { bench.write(0x8000_8000, to: E1000E.reta[row]) }
        var control = hashing
        control.mode = mode
        bench.write(control, to: E1000E.mrqc)
        // Both queues share the buffers: a test lets one frame arrive.
        let ring = bench.iova(Bench.secondTransmitRing)
        for index in 0..<8 {
            bench.memory.window.store64(bench.iova(bench.buffer(index)), at: Bench.secondTransmitRing + index * 16)
            bench.memory.window.store64(0, at: Bench.secondTransmitRing + index * 16 + 8)
        }
        bench.write(UInt32(truncatingIfNeeded: ring), to: E1000E.rdbal[1])
        bench.write(UInt32(truncatingIfNeeded: ring >> 32), to: E1000E.rdbah[1])
        bench.write(8 * 16, to: E1000E.rdlen[1])
        bench.write(0, to: E1000E.rdh[1])
        bench.write(7, to: E1000E.rdt[1])
    }

    func descriptor(_ bench: Bench, queue: Int) -> E1000E.RxWriteBack {
        let ring = queue == 0 ? Bench.receiveRing : Bench.secondTransmitRing
        return E1000E.RxWriteBack(word0: bench.memory.window.load64(at: ring), word1: bench.memory.window.load64(at: ring + 8))
    }

    @Test func aFrameGoesToTheQueueOfItsHash() throws {
        for last in UInt8(0)..<16 {
            let bench = try Bench()
            start(bench)
            var bytes = udpFrame()
            bytes[29] = last
            let hash = ToeplitzHash().hash(bytes[26..<34])
            let queue = Int(hash & 1 == 0 ? 0 : 1)
            try bench.arrive(bytes)
            #expect(bench.step())
            let found = descriptor(bench, queue: queue)
            #expect(found.status.contains(.done), "source 10.0.0.\(last), queue \(queue)")
            #expect(found.rssHash == hash)
            #expect(found.rssType == 2)
            #expect(found.queue == UInt8(queue))
            #expect(bench.read(E1000E.rdh[queue]) == 1)
            #expect(bench.read(E1000E.rdh[1 - queue]) == 0)
        }
    }

    @Test func whatIsNotHashedGoesToQueueZero() throws {
        for (bytes, hashing) in [(frame(), E1000E.MultipleQueuesControl.ipv4), (udpFrame(), E1000E.MultipleQueuesControl())] {
            let bench = try Bench()
            start(bench, hashing: hashing)
            try bench.arrive(bytes)
            bench.step()
            let found = descriptor(bench, queue: 0)
            #expect(found.status.contains(.done))
            #expect(found.rssHash == 0 && found.rssType == 0)
        }
    }

    @Test func withoutTheModeNothingIsSpread() throws {
        let bench = try Bench()
        start(bench, mode: 0)
        for last in UInt8(0)..<7 {
            var bytes = udpFrame()
            bytes[29] = last
            try bench.arrive(bytes)
        }
        bench.step()
        #expect(bench.read(E1000E.rdh[0]) == 7)
        #expect(bench.read(E1000E.rdh[1]) == 0)
    }

    /// Headers that lie about their lengths, cut at every byte: each is received, none traps.
    @Test func hostileHeadersAreSpreadSomewhere() throws {
        for type in [[0x08, 0x00], [0x86, 0xdd]] as [[UInt8]] {
            for first in [0x45, 0x4f, 0x40, 0x60, 0x6f, 0xff] as [UInt8] {
                for byteCount in 60...66 {
                    let bench = try Bench()
                    start(bench)
                    var bytes = frame(byteCount: byteCount, type: type, first: first &- 14)
                    bytes[14] = first
                    bytes[20] = 6
                    bytes[23] = 6
                    try bench.arrive(bytes)
                    #expect(bench.step())
                    #expect(bench.read(E1000E.rdh[0]) + bench.read(E1000E.rdh[1]) == 1)
                }
            }
        }
    }
}
