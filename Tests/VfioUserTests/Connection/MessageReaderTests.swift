import LinuxIO
import Testing

@testable import VfioUser

/// How bytes become messages, whatever the receives bring, and that each message has its own descriptors.
@Suite struct MessageReaderTests {
    private let near: SocketEnd
    private let far: SocketEnd
    private let event: ReceivedDescriptor

    init() throws {
        let pair = try UnixSocketPair()
        (near, far) = pair.split { (SocketEnd($0), SocketEnd($1)) }
        event = ReceivedDescriptor(try OwnedDescriptor.open("/dev/null", flags: 0))
    }

    /// A message of `payloadByteCount` bytes, each the id's low one.
    private func message(_ id: UInt16, _ payloadByteCount: Int) -> [UInt8] {
        MessageHeader(id: id, command: 9, payloadByteCount: payloadByteCount).emit()
            + [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: payloadByteCount)
    }

    private func send(_ bytes: [UInt8], descriptors: Int = 0) throws {
        #expect(try far.socket.send(bytes, descriptors: Array(repeating: event.number, count: descriptors)) == bytes.count)
    }

    /// What the reader says until the socket is empty twice in a row: once may be a guess.
    private func steps(_ reader: inout MessageReader) -> [String] {
        var said: [String] = []
        var emptyLooks = 0
        while emptyLooks < 2 {
            switch reader.step(near.socket) {
            case .wouldBlock: emptyLooks += 1
            case .message(let message):
                emptyLooks = 0
                #expect(message.payload.allSatisfy { $0 == UInt8(truncatingIfNeeded: message.header.id) })
                said.append("\(message.header.id): \(message.payload.count) bytes, \(message.descriptors.count) descriptors")
            case .closed(let inside): return said + [inside ? "closed inside" : "closed"]
            case .broken: return said + ["broken"]
            }
        }
        return said
    }

    @Test func descriptorsBehindAMessageWithoutSomeAreTheSecondOnes() throws {
        var reader = MessageReader(limits: MessageLimits())
        try send(message(1, 20))
        try send(message(2, 20), descriptors: 2)
        try send(message(3, 20))
        try send(message(4, 0), descriptors: 1)
        #expect(
            steps(&reader) == [
                "1: 20 bytes, 0 descriptors", "2: 20 bytes, 2 descriptors", "3: 20 bytes, 0 descriptors", "4: 0 bytes, 1 descriptors",
            ])
    }

    @Test(arguments: 1..<36) func messageSplitAnywhereKeepsItsDescriptors(at split: Int) throws {
        var reader = MessageReader(limits: MessageLimits())
        let bytes = message(2, 20)
        try send(message(1, 4))
        try send(Array(bytes[..<split]), descriptors: 1)
        #expect(steps(&reader) == ["1: 4 bytes, 0 descriptors"])
        try send(Array(bytes[split...]))
        try send(message(3, 4), descriptors: 2)
        #expect(steps(&reader) == ["2: 20 bytes, 1 descriptors", "3: 4 bytes, 2 descriptors"])
    }

    @Test(arguments: 1..<36) func descriptorsBesideARestAreOfTheMessageThatGoesOn(from split: Int) throws {
        var reader = MessageReader(limits: MessageLimits())
        let bytes = message(2, 20)
        try send(Array(bytes[..<split]))
        #expect(steps(&reader) == [])
        try send(Array(bytes[split...]), descriptors: 1)
        try send(message(3, 4))
        #expect(steps(&reader) == ["2: 20 bytes, 1 descriptors", "3: 4 bytes, 0 descriptors"])
    }

    /// The chunk's end falls on each byte of the message with descriptors, its header included.
    @Test(arguments: 0...60) func chunkThatEndsInsideOfAMessageWithDescriptorsLosesNone(room: Int) throws {
        var reader = MessageReader(limits: MessageLimits())
        let first = MessageReader.chunkByteCount - room - MessageHeader.byteCount
        try send(message(1, first))
        try send(message(2, 44), descriptors: 3)
        try send(message(3, 8), descriptors: 1)
        #expect(steps(&reader) == ["1: \(first) bytes, 0 descriptors", "2: 44 bytes, 3 descriptors", "3: 8 bytes, 1 descriptors"])
    }

    @Test func byteForByteIsTheSame() throws {
        var reader = MessageReader(limits: MessageLimits())
        var said: [String] = []
        for (index, byte) in (message(1, 3) + message(2, 0) + message(3, 300)).enumerated() {
            try send([byte], descriptors: index == 0 || index == 19 ? 1 : 0)
            said += steps(&reader)
        }
        #expect(said == ["1: 3 bytes, 1 descriptors", "2: 0 bytes, 1 descriptors", "3: 300 bytes, 0 descriptors"])
    }

    @Test func messagesBeforeABadHeaderStillCome() throws {
        var reader = MessageReader(limits: MessageLimits())
        try send(message(1, 4) + [7, 0, 9, 0] + [UInt8](repeating: 0xff, count: 12))
        #expect(steps(&reader) == ["1: 4 bytes, 0 descriptors", "broken"])
        #expect(reader.brokenHeader.map { [$0.id, $0.command] } == [7, 9])
    }

    @Test func moreDescriptorsThanAMessageMayHaveBreakTheStream() throws {
        var limits = MessageLimits()
        limits.maximumDescriptors = 1
        var reader = MessageReader(limits: limits)
        try send(message(1, 4))
        try send(message(2, 4), descriptors: 2)
        #expect(steps(&reader) == ["1: 4 bytes, 0 descriptors", "broken"])
    }

    @Test func bytesThatWaitAreToldUntilAStepSawThem() throws {
        var reader = MessageReader(limits: MessageLimits())
        try send(message(1, 4) + message(2, 4) + [1, 2, 3])
        guard case .message = reader.step(near.socket) else {
            Issue.record("no message")
            return
        }
        #expect(reader.holdsBytes)
        #expect(steps(&reader) == ["2: 4 bytes, 0 descriptors"])
        #expect(!reader.holdsBytes)
    }
}

private final class SocketEnd {
    let socket: UnixSocket
    init(_ socket: consuming UnixSocket) { self.socket = socket }
}
