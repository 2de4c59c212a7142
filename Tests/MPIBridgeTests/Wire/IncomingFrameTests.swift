import DeviceMemory
import LinuxIO
import NicDriver
import Testing
import TransportSimulation

@testable import MPIBridge

@Suite final class IncomingFrameTests {
    private static let local = EndpointAddress(key: 0x1111, mac: MACAddress(bits: 0x0200_0000_0001), ipv4: 0x0a00_0001, udpPort: 5_000)
    private static let peer = EndpointAddress(key: 0x2222, mac: MACAddress(bits: 0x0200_0000_0002), ipv4: 0x0a00_0002, udpPort: 5_001)
    private let memory: DMAMemory
    init() throws { memory = try DMAMemory.ordinary(byteCount: 4_096) }

    private enum Verdict: Equatable { case good, foreign, malformed }

    private func judge(_ frame: [UInt8], flags: PacketFlags = []) -> Verdict {
        memory.window.store(frame, at: 0)
        return switch IncomingFrame.judge(memory.window, byteCount: frame.count, flags: flags, for: Self.local) {
        case .good: .good
        case .foreign: .foreign
        case .malformed: .malformed
        }
    }

    private static func message(_ change: (inout ForgedFrame) -> Void = { _ in }) -> [UInt8] {
        var frame = ForgedFrame(kind: 2, from: peer, to: local, words: [7, 8, 3], payload: [1, 2, 3])
        change(&frame)
        return frame.bytes
    }

    @Test func aRightFrameIsReadFieldByField() {
        let frame = Self.message {
            $0.sequence = 0x0102_0304
            $0.acknowledgement = 0x0506_0708
            $0.byteCredit = 9
            $0.messageCredit = 10
            $0.flags = 7
        }
        memory.window.store(frame + [0xee, 0xee], at: 0)
        guard case .good(let read) = IncomingFrame.judge(memory.window, byteCount: frame.count + 2, flags: [], for: Self.local) else {
            Issue.record("not taken for good")
            return
        }
        #expect(read.kind == .message && read.flags.rawValue == 7 && read.sourceKey == 0x2222 && read.sequence == 0x0102_0304)
        #expect(read.acknowledgement == 0x0506_0708 && read.byteCredit == 9 && read.messageCredit == 10)
        // What stands behind the datagram is padding.
        #expect(read.payloadByteCount == 3)
    }

    /// Not ours: said of nobody.
    @Test func anotherProtocolOrEndpointIsForeign() {
        for (place, byte) in [(12, 0x86), (13, 1), (14, 0x46), (23, 6), (33, 9), (37, 0)] as [(Int, UInt8)] {
            var frame = Self.message()
            frame[place] = byte
            #expect(judge(frame) == .foreign, "byte \(place)")
        }
        #expect(judge(Self.message { $0.destinationKey = 0x1112 }) == .foreign)
        #expect(judge([UInt8](Self.message().prefix(79))) == .foreign)
        #expect(judge([]) == .foreign)
    }

    /// Ours by its address, with right checksums, and wrong.
    @Test func wrongFieldsAreMalformed() {
        #expect(judge(Self.message { $0.version = 2 }) == .malformed)
        #expect(judge(Self.message { $0.version = 0 }) == .malformed)
        #expect(judge(Self.message { $0.kind = 0 }) == .malformed)
        #expect(judge(Self.message { $0.kind = 12 }) == .malformed, "too short for an atomic access")
        #expect(judge(Self.message { $0.kind = 13 }) == .malformed)
        #expect(judge(Self.message { $0.kind = 255 }) == .malformed)
        #expect(judge(Self.message { $0.flags = 8 }) == .malformed)
        #expect(judge(Self.message { $0.flags = 0x8000 }) == .malformed)
        #expect(judge(Self.message { $0.reserved = 1 }) == .malformed)
        // Too short for its fields.
        #expect(judge(Self.message { $0.rest.removeLast(4) }) == .malformed)
    }

    /// Kinds without a payload have one length.
    @Test(arguments: [(1, 8), (4, 32), (5, 24), (8, 40), (9, 32), (10, 16), (11, 0)] as [(UInt8, Int)])
    func lengthsAreTheKinds(kind: UInt8, byteCount: Int) {
        for (count, verdict) in [(byteCount, Verdict.good), (byteCount + 1, .malformed), (byteCount - 1, .malformed)] where count >= 0 {
            #expect(
                judge(ForgedFrame(kind: kind, from: Self.peer, to: Self.local, payload: .init(repeating: 0, count: count)).bytes) == verdict
            )
        }
    }

    @Test func lengthsThatLieAreMalformed() {
        for (place, byte) in [(16, 0xff), (17, 0), (38, 0xff), (39, 8), (20, 0x20), (21, 1)] as [(Int, UInt8)] {
            var frame = Self.message()
            frame[place] = byte
            // Whatever the checksums say: the NIC has checked them.
            #expect(judge(frame, flags: [.ipChecksumChecked, .udpChecksumChecked]) == .malformed, "byte \(place)")
        }
    }

    @Test func oneBitAnywhereInTheDatagramShows() {
        let frame = Self.message()
        for bit in 14 * 8..<frame.count * 8 {
            var damaged = frame
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(judge(damaged) != .good, "bit \(bit)")
        }
    }

    @Test func whatTheNICFoundIsBelieved() {
        var frame = Self.message()
        #expect(judge(frame, flags: .transportChecksumBad) == .malformed)
        #expect(judge(frame, flags: .ipChecksumBad) == .malformed)
        frame[frame.count - 1] ^= 1
        #expect(judge(frame, flags: .ipChecksumChecked) == .malformed)
        #expect(judge(frame, flags: [.ipChecksumChecked, .udpChecksumChecked]) == .good)
        // A datagram without a sum is none of ours.
        frame.replaceSubrange(40..<42, with: [0, 0])
        #expect(judge(frame) == .malformed)
        #expect(judge(frame, flags: [.ipChecksumChecked]) == .malformed)
    }
}
