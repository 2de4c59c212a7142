import DeviceMemory
import Testing

@Suite struct WordRingTests {
    private let memory = TestMemory(byteCount: 4096)

    @Test func numbersBeyondTheRingWrap() {
        let ring = WordRing16(memory.window.slice(at: 64, byteCount: 16), count: 8)
        let slots = DescriptorRing(memory.window.slice(at: 1024, byteCount: 128), count: 8)
        for number in 0..<20 { ring.store(UInt16(number), slots.slot(number)) }
        #expect((0..<8).map { memory.window.load16(at: 64 + 2 * $0) } == [16, 17, 18, 19, 12, 13, 14, 15])
        #expect(memory.window.load16(at: 62) == 0 && memory.window.load16(at: 80) == 0)
    }

    @Test func elementsAreReadWhereTheDeviceWroteThem() {
        let ring = WordRing64(memory.window.slice(at: 8, byteCount: 64), count: 8)
        let slots = DescriptorRing(memory.window.slice(at: 1024, byteCount: 128), count: 8)
        for index in 0..<8 { memory.window.store64(UInt64(index) << 40, at: 8 + 8 * index) }
        #expect((0..<16).map { ring.load(slots.slot($0)) >> 40 } == (0..<16).map { UInt64($0 % 8) })
    }

    @Test func aDoorbellOfSixteenBitsLeavesItsNeighboursAlone() {
        Doorbell16(memory.window, at: 2).ring(0x1234)
        #expect(memory.window.load64(at: 0) == 0x1234_0000)
    }

    @Test func halvesOfADescriptorAreStoredAlone() {
        let ring = DescriptorRing(memory.window, count: 4)
        ring.store(1, 2, ring.slot(1))
        ring.setWord0(3, ring.slot(1))
        #expect(ring.word0(ring.slot(1)) == 3 && ring.word1(ring.slot(1)) == 2)
        ring.setWord1(4, ring.slot(5))
        #expect(ring.word0(ring.slot(1)) == 3 && ring.word1(ring.slot(1)) == 4)
    }
}
