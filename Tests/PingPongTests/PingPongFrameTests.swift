import DeviceMemory
import NicDriver
import PingPong
import Testing

struct PingPongFrameTests {
    private let frame = PingPongFrame(
        kind: .ping, to: MACAddress(bits: 0x0203_0405_0607), from: MACAddress(bits: 0x0a0b_0c0d_0e0f), wireByteCount: 0x1234,
        session: 0x5566_7788,
        sequence: 0x0102_0304_0506_0708, seed: 0x1112_1314_1516_1718)

    @Test func headerIsTheDocumentedBytesAndParsesBack() throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        frame.emit(into: memory.window)
        let expected: [UInt8] =
            [2, 3, 4, 5, 6, 7, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x88, 0xb5, 0x75, 0x6e, 1, 3, 0x34, 0x12, 0x88, 0x77, 0x66, 0x55]
            + [8, 7, 6, 5, 4, 3, 2, 1, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11]
        #expect(memory.window.bytes(at: 0, byteCount: 40) == expected)
        #expect(PingPongFrame.parse(memory.window, byteCount: 60) == frame)
    }

    @Test(arguments: 0..<40) func shorterThanTheHeaderIsNil(_ length: Int) throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        frame.emit(into: memory.window)
        #expect(PingPongFrame.parse(memory.window, byteCount: length) == nil)
    }

    @Test(arguments: [(12, 0x08), (13, 0), (14, 0), (15, 0), (16, 2), (17, 0), (17, 6), (17, 0xff)])
    func foreignTypeMagicVersionOrKindIsNil(_ offset: Int, _ value: UInt8) throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        frame.emit(into: memory.window)
        memory.window.store8(value, at: offset)
        #expect(PingPongFrame.parse(memory.window, byteCount: 60) == nil)
    }

    @Test func lengthBeyondTheBufferIsNil() throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        frame.emit(into: memory.window)
        #expect(PingPongFrame.parse(memory.window, byteCount: 4097) == nil)
    }
}

struct PayloadPatternTests {
    private let pattern = PayloadPattern(seed: 1, sequence: 2)

    @Test(arguments: [(40, 40), (40, 41), (40, 47), (40, 48), (40, 60), (40, 1514), (40, 3000)])
    func everyFlippedBitIsSeen(_ start: Int, _ end: Int) throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        pattern.fill(memory.window, from: start, to: end)
        #expect(pattern.matches(memory.window, from: start, to: end))
        for at in start..<end {
            let byte = memory.window.load8(at: at)
            memory.window.store8(byte ^ 1 << UInt8(at % 8), at: at)
            #expect(!pattern.matches(memory.window, from: start, to: end))
            memory.window.store8(byte, at: at)
        }
    }

    @Test func staysInsideItsRange() throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        memory.window.fill(0xa5)
        pattern.fill(memory.window, from: 40, to: 61)
        #expect(memory.window.load8(at: 39) == 0xa5 && memory.window.load8(at: 61) == 0xa5)
    }

    @Test func anotherSeedSequenceOrPlaceDiffers() throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        pattern.fill(memory.window, from: 40, to: 60)
        #expect(!PayloadPattern(seed: 2, sequence: 2).matches(memory.window, from: 40, to: 60))
        #expect(!PayloadPattern(seed: 1, sequence: 3).matches(memory.window, from: 40, to: 60))
        #expect(!pattern.matches(memory.window, from: 41, to: 60))
    }

    @Test(arguments: [(-1, 5), (6, 5), (0, 4097)]) func impossibleRangesDoNotMatch(_ start: Int, _ end: Int) throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        #expect(!pattern.matches(memory.window, from: start, to: end))
    }
}
