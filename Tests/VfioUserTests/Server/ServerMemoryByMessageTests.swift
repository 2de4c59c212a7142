import CLinuxShims
import DeviceMemory
import LinuxIO
import Testing

@testable import VfioUser

/// DMA memory that the server cannot map: it asks the client, or reads and writes a file.
@Suite struct ServerMemoryByMessageTests {
    private typealias Offset = ToyModel.Offset
    private static let base: UInt64 = 0x10_0000

    /// A client that lent memory without a file, and wants the model to copy 64 bytes of it.
    private struct Lender {
        let server: RunningServer
        let peer: RawPeer

        init(flags: UInt32 = 3) throws {
            server = try RunningServer()
            peer = try RawPeer(connectingTo: server.path)
            #expect(try !peer.exchange(.dmaMap, words(32, flags) + longs(0, base, 0x1000)).header.isError)
            for (offset, value) in [(Offset.address, base), (Offset.length, 64)] { try write(offset, value) }
        }

        func write(_ offset: UInt64, _ value: UInt64) throws {
            _ = try peer.exchange(.regionWrite, longs(offset) + words(0, 8) + longs(value))
        }

        func start() throws {
            try peer.send(RawPeer.command(10, longs(Offset.command) + words(0, 8) + longs(ToyModel.Command.copy), id: 77))
        }

        func status() throws -> UInt64 {
            Array(try peer.exchange(.regionRead, longs(Offset.status) + words(0, 8)).payload.suffix(8)).littleEndianValue
        }
    }

    /// One that its owner may make shorter.
    private static func unsealedFile(byteCount: Int) throws -> OwnedDescriptor {
        // SAFETY: the C string lives for the call.
        let file = OwnedDescriptor(adopting: unsafe unic_memfd_create("unic-unsealed", 0))
        try file.resize(to: byteCount, subject: "the file")
        return file
    }

    private static func reply(_ command: IncomingMessage, _ payload: [UInt8], isError: Bool = false) -> [UInt8] {
        MessageHeader(
            id: command.header.id, command: command.header.command, payloadByteCount: payload.count, isReply: true, isError: isError
        ).emit() + payload
    }

    @Test func theClientIsAskedAndItsAnswersAreUsed() throws {
        let lender = try Lender()
        try lender.start()
        let read = try #require(try lender.peer.receive())
        #expect(read.header.command == 11 && !read.header.isReply && read.payload == longs(Self.base, 64))
        let data = (0..<64).map { UInt8($0) }
        // A command of ours that is on its way already is not lost.
        try lender.peer.send(RawPeer.command(9, longs(Offset.identity) + words(0, 8), id: 5))
        try lender.peer.send(Self.reply(read, longs(Self.base, 64) + data))
        let write = try #require(try lender.peer.receive())
        #expect(write.header.command == 12 && write.payload == longs(Self.base + 64, 64) + data)
        try lender.peer.send(Self.reply(write, longs(Self.base + 64, 64)))
        #expect(try lender.peer.receive()?.header.id == 77)
        #expect(try lender.peer.receive()?.header.id == 5)
        #expect(try lender.status() == 1)
    }

    /// The text gives the count of a write's answer four bytes.
    @Test func anAnswerOfTwelveBytesIsGoodToo() throws {
        let lender = try Lender()
        try lender.start()
        let read = try #require(try lender.peer.receive())
        try lender.peer.send(Self.reply(read, longs(Self.base, 64) + [UInt8](repeating: 1, count: 64)))
        let write = try #require(try lender.peer.receive())
        try lender.peer.send(Self.reply(write, longs(Self.base + 64) + words(64)))
        #expect(try lender.peer.receive()?.header.id == 77)
        #expect(try lender.status() == 1)
    }

    @Test func anAnswerThatIsNoneIsAFaultOfTheModel() throws {
        for wrong in [longs(Self.base, 64), longs(0, 64) + [UInt8](repeating: 0, count: 64), longs(Self.base, .max), []] {
            let lender = try Lender()
            try lender.start()
            let read = try #require(try lender.peer.receive())
            try lender.peer.send(Self.reply(read, wrong))
            #expect(try lender.peer.receive()?.header.id == 77)
            #expect(try lender.status() == 2)
        }
        let lender = try Lender()
        try lender.start()
        let read = try #require(try lender.peer.receive())
        try lender.peer.send(Self.reply(read, [], isError: true))
        #expect(try lender.peer.receive()?.header.id == 77)
        #expect(try lender.status() == 2)
    }

    @Test func whatIsNotPermittedIsNotAsked() throws {
        let lender = try Lender(flags: 2)
        try lender.start()
        #expect(try lender.peer.receive()?.header.id == 77)
        #expect(try lender.status() == 2)
    }

    @Test func aReplyToAnotherCommandEndsTheConnection() throws {
        let lender = try Lender()
        try lender.start()
        var read = try #require(try lender.peer.receive())
        read.header.id &+= 1
        try lender.peer.send(Self.reply(read, longs(Self.base, 64) + [UInt8](repeating: 0, count: 64)))
        #expect(lender.server.eventually { $0.brokenConnections == 1 && !$0.isConnected })
    }

    @Test func commandsInsteadOfAnAnswerEndTheConnection() throws {
        let lender = try Lender()
        try lender.start()
        _ = try lender.peer.receive()
        for _ in 0...ClientChannel.maximumEarlyMessages {
            try lender.peer.send(RawPeer.command(13, [], noReply: true))
        }
        #expect(lender.server.eventually { $0.brokenConnections == 1 && !$0.isConnected })
    }

    @Test func aHangUpInsteadOfAnAnswerIsSurvived() throws {
        let server: RunningServer
        do {
            let lender = try Lender()
            server = lender.server
            try lender.start()
            _ = try lender.peer.receive()
        }
        #expect(server.eventually { !$0.isConnected })
        _ = try server.device()
    }

    @Test func theTwinSocketCarriesTheServersCommands() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path, negotiate: false)
        let proposal = VersionMessage(
            major: 0, minor: 0, capabilities: Capabilities(maximumMessageDescriptors: 1, twinSocket: .init(isSupported: true)))
        let answer = try peer.exchange(.version, proposal.emit())
        let said = try VersionMessage.parse(answer.payload).capabilities.twinSocket
        #expect(said == Capabilities.TwinSocket(isSupported: true, descriptorIndex: 0))
        guard let descriptor = answer.takeDescriptor() else {
            Issue.record("no socket came")
            return
        }
        let twin = RawPeer(UnixSocket(adopting: descriptor))
        _ = try peer.exchange(.dmaMap, words(32, 3) + longs(0, Self.base, 0x1000))
        for (offset, value) in [(Offset.address, Self.base), (Offset.length, 64)] {
            _ = try peer.exchange(.regionWrite, longs(offset) + words(0, 8) + longs(value))
        }
        try peer.send(RawPeer.command(10, longs(Offset.command) + words(0, 8) + longs(ToyModel.Command.copy), id: 77))
        let read = try #require(try twin.receive())
        try twin.send(Self.reply(read, longs(Self.base, 64) + [UInt8](repeating: 3, count: 64)))
        let write = try #require(try twin.receive())
        #expect(write.payload.suffix(64) == [UInt8](repeating: 3, count: 64)[...])
        try twin.send(Self.reply(write, longs(Self.base + 64, 64)))
        #expect(try peer.receive()?.header.id == 77)
    }

    @Test func withoutTheClientsWordThereIsNoTwin() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path, negotiate: false)
        let proposal = VersionMessage(major: 0, minor: 0, capabilities: Capabilities(twinSocket: .init(isSupported: false)))
        let answer = try peer.exchange(.version, proposal.emit())
        #expect(answer.descriptors.isEmpty)
        #expect(try VersionMessage.parse(answer.payload).capabilities.twinSocket == nil)
    }

    @Test func memoryByFileIOIsReadAndWrittenThere() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let file = try Self.unsealedFile(byteCount: 0x3000)
        try file.write((0..<64).map { UInt8($0) }, at: 0x1000, subject: "the file")
        #expect(try !peer.exchange(.dmaMap, words(32, 3 | 8) + longs(0x1000, Self.base, 0x1000), descriptors: [file.number]).header.isError)
        for (offset, value) in [(Offset.address, Self.base), (Offset.length, 64), (Offset.command, ToyModel.Command.copy)] {
            _ = try peer.exchange(.regionWrite, longs(offset) + words(0, 8) + longs(value))
        }
        #expect(try file.read(byteCount: 64, at: 0x1040, subject: "the file") == (0..<64).map { UInt8($0) })
        // A file that shrank is a fault, not the process's end.
        try file.resize(to: 0x1000, subject: "the file")
        _ = try peer.exchange(.regionWrite, longs(Offset.command) + words(0, 8) + longs(ToyModel.Command.copy))
        #expect(try peer.exchange(.regionRead, longs(Offset.status) + words(0, 8)).payload.suffix(8) == longs(2)[...])
    }

    /// Mapped memory that its owner makes shorter: a touch would be SIGBUS. The client is dropped, the next one is served.
    @Test func aFileThatShrinksUnderTheModelEndsTheConnectionOnly() throws {
        let server = try RunningServer()
        let peer = try RawPeer(connectingTo: server.path)
        let file = try Self.unsealedFile(byteCount: 0x3000)
        #expect(try !peer.exchange(.dmaMap, words(32, 3) + longs(0, Self.base, 0x3000), descriptors: [file.number]).header.isError)
        try file.resize(to: 0x1000, subject: "the file")
        for (offset, value) in [(Offset.address, Self.base + 0x1000), (Offset.length, 0x2000), (Offset.pattern, 7)] {
            _ = try peer.exchange(.regionWrite, longs(offset) + words(0, 8) + longs(value))
        }
        try peer.send(RawPeer.command(10, longs(Offset.command) + words(0, 8) + longs(ToyModel.Command.fill)))
        #expect(server.eventually { $0.brokenConnections == 1 && !$0.isConnected && $0.lastFault?.contains("shorter") == true })
        let next = try server.device()
        #expect(try next.readRegion(0, at: Offset.identity, byteCount: 8) == ToyModel.identity)
    }
}
