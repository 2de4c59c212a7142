import CLinuxShims
import DeviceMemory
import Testing

@Suite struct MemoryWindowSumTests {
    private let memory = TestMemory(byteCount: 16_384)
    /// Every length around the steps of the vector loop, and long ones whose carries pile up.
    private let counts = Array(0...200) + [1_472, 4_000, 6_001]

    /// RFC 1071 §1, word by word.
    private func reference(_ bytes: [UInt8]) -> UInt64 {
        var sum: UInt64 = 0
        for at in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt64(bytes[at]) | (at + 1 < bytes.count ? UInt64(bytes[at + 1]) << 8 : 0)
            sum = (sum & 0xffff) + sum >> 16
        }
        return sum
    }

    /// Zero has two forms (§2: one's complement).
    private func isSame(_ sum: UInt64, _ bytes: [UInt8]) -> Bool {
        let expected = reference(bytes)
        return sum % 0xffff == expected % 0xffff && (sum == 0) == (expected == 0)
    }

    private func fill(_ count: Int, _ random: inout SplitMix, with value: UInt8?) -> [UInt8] {
        let bytes = (0..<count).map { _ in value ?? UInt8(truncatingIfNeeded: random.next()) }
        memory.window.store(bytes, at: 43)
        return bytes
    }

    @Test func aCopyHasTheSumAndTheBytesAndNoMore() {
        var random = SplitMix(seed: 1)
        for count in counts {
            for value in [nil, 0xff, 0] as [UInt8?] {
                let bytes = fill(count, &random, with: value)
                memory.window.store([UInt8](repeating: 0xa5, count: count + 2), at: 8_000)
                let sum = memory.window.copySumming(at: 43, byteCount: count, to: memory.window, at: 8_001)
                #expect(isSame(UInt64(sum), bytes), "\(count) bytes")
                #expect(memory.window.bytes(at: 8_000, byteCount: count + 2) == [0xa5] + bytes + [0xa5], "\(count) bytes")
                #expect(isSame(UInt64(memory.window.onesComplementSum(at: 43, byteCount: count)), bytes), "\(count) bytes")
            }
        }
    }

    /// What a processor without AVX2 runs.
    @Test func theOrdinaryWayAgrees() {
        var random = SplitMix(seed: 2)
        for count in counts {
            let bytes = fill(count, &random, with: nil)
            // SAFETY: both ranges lie inside of the window's 16,384 bytes.
            let from = unsafe memory.window.baseAddress + 43, to = unsafe memory.window.baseAddress + 8_001
            #expect(unsafe isSame(unic_sum_any(from, count), bytes), "\(count) bytes")
            #expect(unsafe isSame(unic_copy_sum_any(to, from, count), bytes), "\(count) bytes")
            #expect(memory.window.bytes(at: 8_001, byteCount: count) == bytes, "\(count) bytes")
        }
    }
}
