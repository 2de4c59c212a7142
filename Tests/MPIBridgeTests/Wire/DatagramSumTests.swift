import DeviceMemory
import LinuxIO
import NicDriver
import Testing
import TransportSimulation

@testable import MPIBridge

@Suite final class DatagramSumTests {
    private let memory: DMAMemory
    init() throws { memory = try DMAMemory.ordinary(byteCount: 16_384) }

    /// Every length around the steps of the vector loop, and long ones whose carries pile up.
    @Test func itIsRFC1071sSum() {
        var random = SplitMix(seed: 1)
        for count in Array(0...200) + [1_472, 8_972, 9_000] {
            for fill in [nil, 0xff, 0] as [UInt8?] {
                let bytes = (0..<count).map { _ in fill ?? UInt8(truncatingIfNeeded: random.next()) }
                memory.window.store(bytes, at: 42)
                let sum = DatagramSum.sum(memory.window, from: 42, to: 42 + count)
                // Zero has two forms (§2: one's complement).
                let expected = UInt64(Checksums.sum(bytes).bigEndian)
                #expect(sum % 0xffff == expected % 0xffff && (sum == 0) == (expected == 0), "\(count) bytes")
            }
        }
    }

    /// Pieces of odd lengths: what follows begins in the middle of a word.
    @Test func piecesAreSummedAsOne() throws {
        var random = SplitMix(seed: 3)
        for lengths in [[1, 1, 1, 1], [3, 8, 5, 64], [65, 2, 129, 7], [0, 1, 0, 63], [200, 201]] {
            let pieces = lengths.map { TestBytes(count: max(1, $0), UInt8(truncatingIfNeeded: random.next())) }
            // SAFETY: the pieces live until the end of the loop's body.
            let memory = unsafe ApplicationMemory(count: lengths.count) {
                MemoryPiece(address: pieces[$0].application.firstAddress, byteCount: lengths[$0])
            }
            let application = try #require(memory)
            for offset in 0..<min(4, application.byteCount) {
                let count = application.byteCount - offset
                let sum = application.copySumming(offset: offset, byteCount: count, to: self.memory.window, at: 101)
                let bytes = self.memory.window.bytes(at: 101, byteCount: count)
                #expect(DatagramSum.fold(sum) % 0xffff == UInt64(Checksums.sum(bytes).bigEndian) % 0xffff, "\(lengths) from \(offset)")
            }
            withExtendedLifetime(pieces) {}
        }
    }

    @Test func sealedFramesAreRight() {
        let a = EndpointAddress(key: 1, mac: MACAddress(bits: 0x0200_0000_0001), ipv4: 0x0a01_0203, udpPort: 4_000)
        let b = EndpointAddress(key: 2, mac: MACAddress(bits: 0x0200_0000_0002), ipv4: 0xffff_fffe, udpPort: 65_535)
        let template = FrameTemplate(from: a, to: b, nextHop: b.mac)
        var random = SplitMix(seed: 2)
        for count in [80, 81, 104, 105, 1_513, 1_514, 9_014] {
            memory.window.store((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }, at: 0)
            template.store(into: memory.window)
            template.seal(memory.window, byteCount: count)
            let frame = memory.window.bytes(at: 0, byteCount: count)
            #expect(Checksums.isIPRight(frame) && Checksums.isUDPRight(frame), "\(count) bytes")
        }
    }

    /// RFC 768: a computed sum of zero goes as all ones, since zero says that there is none.
    @Test func noFrameSaysThatItHasNoChecksum() {
        let a = EndpointAddress(key: 1, mac: MACAddress(bits: 0x0200_0000_0001), ipv4: 1, udpPort: 1)
        let template = FrameTemplate(from: a, to: a, nextHop: a.mac)
        memory.window.fill(0)
        template.store(into: memory.window)
        template.seal(memory.window, byteCount: 80)
        // Adding the checksum to the data makes the sum all ones, and its complement zero.
        let checksum = memory.window.load16(at: 40)
        memory.window.store16(checksum, at: 64)
        memory.window.store16(0, at: 40)
        template.seal(memory.window, byteCount: 80)
        #expect(memory.window.load16(at: 40) == 0xffff)
    }
}
