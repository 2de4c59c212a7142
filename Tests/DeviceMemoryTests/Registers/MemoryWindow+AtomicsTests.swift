import DeviceMemory
import LinuxIO
import Testing

@Suite struct MemoryWindowAtomicsTests {
    @Test func wordsAreStoredLittleEndianInPlace() throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        memory.window.storeRelease32(0x1122_3344, at: 4)
        memory.window.storeRelease64(0x1122_3344_5566_7788, at: 8)
        #expect(
            memory.window.bytes(at: 0, byteCount: 16) == [
                0, 0, 0, 0, 0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
            ])
        #expect(memory.window.loadAcquire32(at: 4) == 0x1122_3344)
        #expect(memory.window.loadAcquire64(at: 8) == 0x1122_3344_5566_7788)
        #expect(memory.window.loadAcquire32(at: 4092) == 0)
    }

    @Test func aWordThatIsNotAlignedTraps() async {
        await #expect(processExitsWith: .failure) {
            let memory = try DMAMemory.ordinary(byteCount: 4096)
            _ = memory.window.loadAcquire64(at: 4)
        }
    }

    @Test func aWordOutsideTraps() async {
        await #expect(processExitsWith: .failure) {
            let memory = try DMAMemory.ordinary(byteCount: 4096)
            memory.window.storeRelease32(1, at: 4096)
        }
    }
}
