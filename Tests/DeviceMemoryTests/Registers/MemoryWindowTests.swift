import DeviceMemory
import Testing

@Suite struct MemoryWindowTests {
    let memory = TestMemory(byteCount: 64)

    @Test func wordsAreLittleEndianAndMeetAtTheirBytes() {
        memory.window.store64(0x0807_0605_0403_0201, at: 8)
        #expect(memory.window.bytes(at: 8, byteCount: 8) == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(memory.window.load8(at: 15) == 8)
        #expect(memory.window.load16(at: 8) == 0x0201)
        #expect(memory.window.load32(at: 12) == 0x0807_0605)
        memory.window.store8(0xff, at: 8)
        memory.window.store16(0xaabb, at: 10)
        memory.window.store32(0x1122_3344, at: 12)
        #expect(memory.window.load64(at: 8) == 0x1122_3344_aabb_02ff)
    }

    @Test func lastWordIsReachable() {
        memory.window.store64(.max, at: 56)
        #expect(memory.window.load64(at: 56) == .max && memory.window.load8(at: 63) == 0xff)
    }

    @Test func containsIsTotal() {
        #expect(memory.window.contains(offset: 0, byteCount: 64) && memory.window.contains(offset: 64, byteCount: 0))
        #expect(!memory.window.contains(offset: 1, byteCount: 64) && !memory.window.contains(offset: 65, byteCount: 0))
        #expect(!memory.window.contains(offset: .max, byteCount: .max) && !memory.window.contains(offset: 8, byteCount: .max))
        #expect(!memory.window.contains(offset: .max, byteCount: 1))
    }

    @Test func copyMovesOnlyItsBytes() {
        let other = TestMemory(byteCount: 16)
        memory.window.store([1, 2, 3, 4], at: 60)
        memory.window.copy(at: 60, byteCount: 4, to: other.window, at: 12)
        #expect(other.window.bytes(at: 0, byteCount: 16) == [UInt8](repeating: 0, count: 12) + [1, 2, 3, 4])
        memory.window.copy(at: 64, byteCount: 0, to: other.window, at: 16)
    }

    @Test func sliceKeepsToItsPart() {
        memory.window.slice(at: 8, byteCount: 8).fill(0xee)
        #expect(memory.window.load8(at: 7) == 0 && memory.window.load8(at: 16) == 0 && memory.window.load64(at: 8) == 0xeeee_eeee_eeee_eeee)
    }

    @Test func accessesPastTheEndTrap() async {
        await #expect(processExitsWith: .failure) { _ = TestMemory(byteCount: 64).window.load64(at: 57) }
        await #expect(processExitsWith: .failure) { _ = TestMemory(byteCount: 64).window.load8(at: -1) }
        await #expect(processExitsWith: .failure) { _ = TestMemory(byteCount: 64).window.load32(at: .max) }
        await #expect(processExitsWith: .failure) { TestMemory(byteCount: 64).window.store16(1, at: 63) }
        await #expect(processExitsWith: .failure) { TestMemory(byteCount: 64).window.store([1, 2], at: 63) }
        await #expect(processExitsWith: .failure) { _ = TestMemory(byteCount: 64).window.slice(at: 60, byteCount: 5) }
        await #expect(processExitsWith: .failure) { _ = TestMemory(byteCount: 64).window.slice(at: 0, byteCount: -1) }
        await #expect(processExitsWith: .failure) {
            let memory = TestMemory(byteCount: 64)
            memory.window.copy(at: 0, byteCount: 8, to: memory.window.slice(at: 0, byteCount: 4), at: 0)
        }
    }
}

@Suite struct DoorbellTests {
    @Test func ringStoresTheValueWhereItPoints() {
        let memory = TestMemory(byteCount: 64)
        let doorbell = Doorbell(memory.window, at: 60)
        doorbell.ring(0x1234_5678)
        #expect(memory.window.load32(at: 60) == 0x1234_5678 && doorbell.value == 0x1234_5678)
        #expect(memory.window.load32(at: 56) == 0)
    }

    @Test func outsideOrUnalignedTraps() async {
        await #expect(processExitsWith: .failure) { _ = Doorbell(TestMemory(byteCount: 64).window, at: 64) }
        await #expect(processExitsWith: .failure) { _ = Doorbell(TestMemory(byteCount: 64).window, at: 2) }
    }
}
