import DeviceMemory
import Echo
import NicDriver
import Testing

/// Our own frames, byte by byte.
private struct Frames {
    static let ours = MACAddress(bits: 0x02_00_00_00_00_02), theirs = MACAddress(bits: 0x02_00_00_00_00_01)
    static let ourIP: [UInt8] = [10, 0, 0, 2], theirIP: [UInt8] = [10, 0, 0, 1]
    static let responder = EchoResponder(mac: ours, address: IPv4Address(bits: 0x0a00_0002))

    static let arpRequest: [UInt8] =
        MACAddress.broadcast.bytes + theirs.bytes + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + theirs.bytes + theirIP + [0, 0, 0, 0, 0, 0] + ourIP
        + [UInt8](repeating: 0, count: 18)

    static func echoRequest(dataByteCount: Int = 9, to: [UInt8] = ourIP, options: [UInt8] = []) -> [UInt8] {
        var icmp: [UInt8] = [8, 0, 0, 0, 0x12, 0x34, 0, 7] + (0..<dataByteCount).map { UInt8(truncatingIfNeeded: $0) }
        setChecksum(&icmp, at: 2)
        let total = 20 + options.count + icmp.count
        var ip: [UInt8] =
            [UInt8(0x45 + options.count / 4), 0, UInt8(total >> 8), UInt8(total & 255), 0, 1, 0x40, 0, 17, 1, 0, 0] + theirIP + to + options
        setChecksum(&ip, at: 10)
        let frame = ours.bytes + theirs.bytes + [8, 0] + ip + icmp
        return frame + [UInt8](repeating: 0xee, count: max(0, 60 - frame.count))
    }

    static func sum(_ bytes: some Collection<UInt8>) -> UInt16 {
        var sum: UInt32 = 0
        for (index, byte) in bytes.enumerated() { sum += UInt32(byte) << (index % 2 == 0 ? 8 : 0) }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return UInt16(sum)
    }

    static func setChecksum(_ bytes: inout [UInt8], at offset: Int) {
        let value = ~sum(bytes)
        bytes[offset] = UInt8(value >> 8)
        bytes[offset + 1] = UInt8(value & 255)
    }

    static func answer(_ frame: [UInt8]) throws -> (EchoResponder.Answer, [UInt8]) {
        let memory = try DMAMemory.ordinary(byteCount: 16384)
        memory.window.store(frame, at: 0)
        let answer = responder.answer(memory.window, byteCount: frame.count)
        return (answer, memory.window.bytes(at: 0, byteCount: frame.count))
    }
}

struct ARPTests {
    @Test func requestForOurAddressIsAnsweredToTheAsker() throws {
        let (answer, frame) = try Frames.answer(Frames.arpRequest)
        #expect(answer == .arpReply)
        let expected = Frames.theirs.bytes + Frames.ours.bytes + [8, 6, 0, 1, 8, 0, 6, 4, 0, 2]
        #expect(Array(frame[..<22]) == expected)
        #expect(Array(frame[22..<42]) == Frames.ours.bytes + Frames.ourIP + Frames.theirs.bytes + Frames.theirIP)
    }

    @Test func requestForAnotherAddressIsIgnored() throws {
        var frame = Frames.arpRequest
        frame[41] = 9
        #expect(try Frames.answer(frame).0 == .ignored)
    }

    @Test func replyIsIgnored() throws {
        var frame = Frames.arpRequest
        frame[21] = 2
        #expect(try Frames.answer(frame).0 == .ignored)
    }

    @Test func askerWithAMulticastAddressIsMalformed() throws {
        var frame = Frames.arpRequest
        frame[22] = 1
        #expect(try Frames.answer(frame).0 == .malformed)
    }

    @Test(arguments: 0..<42) func cutRequestIsMalformed(_ length: Int) throws {
        #expect(try Frames.answer(Array(Frames.arpRequest[..<length])).0 == .malformed)
    }
}

struct ICMPEchoTests {
    @Test(arguments: [0, 1, 9, 56, 1472, 8972]) func requestIsAnsweredWithItsData(_ count: Int) throws {
        let request = Frames.echoRequest(dataByteCount: count)
        let (answer, reply) = try Frames.answer(request)
        #expect(answer == .echoReply)
        #expect(Array(reply[..<12]) == Frames.theirs.bytes + Frames.ours.bytes)
        #expect(Array(reply[26..<34]) == Frames.ourIP + Frames.theirIP)
        #expect(reply[34] == 0 && reply[38..<(42 + count)] == request[38..<(42 + count)])
        #expect(Frames.sum(reply[14..<34]) == 0xffff)
        #expect(Frames.sum(reply[34..<(42 + count)]) == 0xffff)
    }

    @Test func headerWithOptionsIsAnswered() throws {
        let (answer, reply) = try Frames.answer(Frames.echoRequest(options: [1, 1, 1, 0]))
        #expect(answer == .echoReply)
        #expect(Frames.sum(reply[14..<38]) == 0xffff)
    }

    @Test(arguments: [(14, 0x65), (14, 0x44), (14, 0x4f), (16, 0xff), (17, 3), (24, 0xaa), (35, 5), (36, 0), (40, 1)])
    func damagedHeaderIsMalformed(_ offset: Int, _ value: UInt8) throws {
        var frame = Frames.echoRequest()
        frame[offset] = value
        #expect(try Frames.answer(frame).0 == .malformed)
    }

    @Test func otherHostsFragmentsAndMessagesAreIgnored() throws {
        #expect(try Frames.answer(Frames.echoRequest(to: [10, 0, 0, 3])).0 == .ignored)
        var elsewhere = Frames.echoRequest()
        elsewhere[5] = 9
        #expect(try Frames.answer(elsewhere).0 == .ignored)
        var fragment = Frames.echoRequest()
        fragment[20] = 0x20
        var header = Array(fragment[14..<34])
        (header[10], header[11]) = (0, 0)
        Frames.setChecksum(&header, at: 10)
        fragment.replaceSubrange(14..<34, with: header)
        #expect(try Frames.answer(fragment).0 == .ignored)
    }

    @Test func randomAndMutatedFramesNeverTrapAndNeverGrow() throws {
        var generator = SeededGenerator(state: 7)
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        let template = Frames.echoRequest(dataByteCount: 100)
        for round in 0..<20_000 {
            var frame = round % 3 == 0 ? Frames.arpRequest : template
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                frame[Int.random(in: 12..<frame.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let length = Int.random(in: 0...frame.count, using: &generator)
            memory.window.store(frame + [0xa5], at: 0)
            memory.window.store8(0xa5, at: length)
            _ = Frames.responder.answer(memory.window, byteCount: length)
            #expect(memory.window.load8(at: length) == 0xa5)
        }
        #expect(Frames.responder.answer(memory.window, byteCount: 5000) == .malformed)
    }
}

struct IPv4AddressTests {
    @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2..4", "a.b.c.d", "+1.2.3.4", " 1.2.3.4"]) func badTextIsRefused(
        _ text: String
    ) {
        #expect(IPv4Address(text) == nil)
    }

    @Test func textRoundTrips() { #expect(IPv4Address("192.168.0.255")?.description == "192.168.0.255") }
}

private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
