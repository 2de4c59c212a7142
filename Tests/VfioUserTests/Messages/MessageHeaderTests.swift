import Testing

@testable import VfioUser

@Suite struct MessageHeaderTests {
    private let golden: [UInt8] = [0x34, 0x12, 9, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]

    @Test func commandHasItsBytes() throws {
        let header = MessageHeader(id: 0x1234, command: 9, payloadByteCount: 16)
        #expect(header.emit() == golden)
        #expect(try MessageHeader.parse(golden, maximumMessageByteCount: 64) == header)
    }

    @Test func errorReplyHasFlagsAndErrno() throws {
        let header = MessageHeader(id: 1, command: 2, payloadByteCount: 0, isReply: true, isError: true, errno: 17)
        #expect(header.emit() == [1, 0, 2, 0, 16, 0, 0, 0, 0x21, 0, 0, 0, 17, 0, 0, 0])
        #expect(try MessageHeader.parse(header.emit(), maximumMessageByteCount: 64) == header)
    }

    @Test func noReplyIsBit4() throws {
        let header = MessageHeader(id: 0, command: 10, payloadByteCount: 0, noReply: true)
        #expect(header.emit()[8] == 0x10)
        #expect(try MessageHeader.parse(header.emit(), maximumMessageByteCount: 64).noReply)
    }

    @Test(arguments: [0, 15, 65, UInt32.max]) func sizeOutsideOfLimitsIsRefused(size: UInt32) {
        var bytes = golden
        bytes.replaceSubrange(4..<8, with: words(size))
        #expect(throws: MessageError.field(message: "a header", name: "message size", value: UInt64(size))) {
            try MessageHeader.parse(bytes, maximumMessageByteCount: 64)
        }
    }

    @Test(arguments: [2, 0xf, 0x40, 0x8000_0000] as [UInt32]) func unknownTypeAndReservedFlagsAreRefused(flags: UInt32) {
        var bytes = golden
        bytes.replaceSubrange(8..<12, with: words(flags))
        #expect(throws: MessageError.self) { try MessageHeader.parse(bytes, maximumMessageByteCount: 64) }
    }

    @Test(arguments: [0, 1, 15, 17]) func wrongLengthIsRefused(count: Int) {
        #expect(throws: MessageError.self) {
            try MessageHeader.parse([UInt8](repeating: 0, count: count), maximumMessageByteCount: 64)
        }
    }

    @Test func unknownCommandIsNamedByItsNumber() throws {
        #expect(MessageHeader(id: 0, command: 14, payloadByteCount: 0).commandName == "command 14")
    }
}
