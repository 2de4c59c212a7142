import DeviceAccess
import DeviceMemory
import LinuxIO
import Synchronization
import SystemPackage
import Testing

@testable import VfioUser

/// A server that reads and writes the client's memory by messages: "VFIO_USER_DMA_READ", "VFIO_USER_DMA_WRITE".
@Suite struct ServerTransferTests {
    /// Sends a command of the server's while a reset waits for its answer, and returns what the client said to it.
    private func exchange(_ command: Command, _ payload: [UInt8], setUp: (VfioUserDevice) throws -> Void) throws -> IncomingMessage {
        let answer = Mutex<(MessageHeader, [UInt8])?>(nil)
        let server = try ScriptedServer { message in
            if message.header.isReply {
                answer.withLock { $0 = (message.header, message.payload) }
                // Only now the answer to the reset, which has the same id.
                return .init(bytes: MessageHeader(id: message.header.id, command: 13, payloadByteCount: 0, isReply: true).emit())
            }
            guard message.header.command == Command.deviceReset.rawValue else { return nil }
            // One id for both directions: they are apart.
            return .init(
                bytes: MessageHeader(id: message.header.id, command: command.rawValue, payloadByteCount: payload.count).emit() + payload)
        }
        let device = try VfioUserDevice(url: "vfio-user:\(server.path)", socketPath: server.path)
        try setUp(device)
        try device.reset()
        let (header, bytes) = try #require(answer.withLock { $0 })
        return IncomingMessage(header: header, payload: bytes, descriptors: [])
    }

    private func memory(_ bytes: [UInt8]) throws -> DMAMemory {
        let memory = try DMAMemory.ordinary(byteCount: 0x1000)
        memory.window.store(bytes, at: 0)
        return memory
    }

    @Test func memoryIsReadAcrossTwoMappings() throws {
        let first = try memory([]), second = try memory([3, 4])
        first.window.store([1, 2] as [UInt8], at: 0xffe)
        let answer = try exchange(.dmaRead, longs(0x10ffe, 4)) { device in
            try device.map(first, at: IOVA(0x10000), access: .read)
            try device.map(second, at: IOVA(0x11000), access: .readWrite)
        }
        #expect(!answer.header.isError && answer.payload == longs(0x10ffe, 4) + [1, 2, 3, 4])
    }

    @Test func memoryIsWritten() throws {
        let memory = try memory([9, 9, 9, 9])
        let answer = try exchange(.dmaWrite, longs(0x10001, 2) + [5, 6]) { device in
            try device.map(memory, at: IOVA(0x10000), access: .write)
        }
        #expect(!answer.header.isError && answer.payload == longs(0x10001, 2))
        #expect(memory.window.bytes(at: 0, byteCount: 4) == [9, 5, 6, 9])
    }

    @Test func memoryWithoutThePermissionIsNotTouched() throws {
        let memory = try memory([9, 9])
        let written = try exchange(.dmaWrite, longs(0x10000, 1) + [5]) { device in
            try device.map(memory, at: IOVA(0x10000), access: .read)
        }
        #expect(written.header.isError && written.header.errno == UInt32(Errno.badAddress.rawValue))
        #expect(memory.window.load8(at: 0) == 9)
        let read = try exchange(.dmaRead, longs(0x10000, 1)) { device in try device.map(memory, at: IOVA(0x10000), access: .write) }
        #expect(read.header.isError && read.payload.isEmpty)
    }

    @Test(arguments: [(0xffff, 2), (0x10fff, 2), (0x11000, 1), (.max, 1), (.max - 1, 16)] as [(UInt64, UInt64)])
    func memoryOutsideOfAMappingIsOutOfReach(address: UInt64, count: UInt64) throws {
        let memory = try memory([])
        let answer = try exchange(.dmaRead, longs(address, count)) { try $0.map(memory, at: IOVA(0x10000), access: .readWrite) }
        #expect(answer.header.isError && answer.header.errno == UInt32(Errno.badAddress.rawValue))
    }

    @Test(arguments: [longs(0x10000, 0), longs(0x10000, 1 << 20 + 1), longs(0x10000, .max), longs(0x10000), longs(0x10000, 4) + [1]])
    func impossibleTransferIsRefused(payload: [UInt8]) throws {
        let memory = try memory([])
        let answer = try exchange(.dmaRead, payload) { try $0.map(memory, at: IOVA(0x10000), access: .readWrite) }
        #expect(answer.header.isError && answer.header.errno == UInt32(Errno.invalidArgument.rawValue))
    }

    @Test func unmappedMemoryIsOutOfReachAgain() throws {
        let memory = try memory([])
        let answer = try exchange(.dmaRead, longs(0x10000, 1)) { device in
            try device.map(memory, at: IOVA(0x10000), access: .readWrite)
            try device.unmap(try #require(IOVARange(start: IOVA(0x10000), byteCount: 0x1000)))
        }
        #expect(answer.header.isError)
    }
}
