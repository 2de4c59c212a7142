import DeviceAccess
import DeviceMemory
import LinuxIO
import Synchronization
import SystemPackage

/// What the client has mapped for its device: enough to map all of it again on another server, and to let a server that
/// cannot map files read and write by messages.
///
/// Mapping is the control thread's; the server's messages are answered by whichever thread waits for an answer.
final class ClientMemory {
    /// A mapping, with a descriptor of our own: its owner may close his.
    final class Mapping: Sendable {
        let message: DMAMapMessage
        let file: OwnedDescriptor

        init(_ message: DMAMapMessage, file: consuming OwnedDescriptor) {
            self.message = message
            self.file = file
        }
    }

    private let lock = Mutex(())
    private let space = DMASpace(maximumEntries: .max)
    /// By first address.
    private var mappings: [UInt64: Mapping] = [:]
    private var scratch: Scratch?

    private final class Scratch {
        let memory: DMAMemory
        init(_ memory: consuming DMAMemory) { self.memory = memory }
    }

    var count: Int { lock.withLock { _ in mappings.count } }
    /// In the order of their addresses.
    var all: [Mapping] { lock.withLock { _ in mappings.sorted { $0.key < $1.key }.map(\.value) } }

    /// - Parameter window: the memory, which lives until the range is removed.
    func add(_ mapping: Mapping, window: MemoryWindow) throws(DMASpace.MapError) {
        let range = mapping.message.range
        try lock.withLock { (_) throws(DMASpace.MapError) in
            try space.map(range, to: window, access: mapping.message.access)
            mappings[range.start.rawValue] = mapping
        }
    }

    /// Forgets all that lies inside. A mapping that would be cut in two stays.
    func remove(_ range: IOVARange) {
        lock.withLock { _ in
            for entry in space.unmap(range) ?? [] { mappings[entry.range.start.rawValue] = nil }
        }
    }

    /// Whether the server reads or writes memory by it.
    static func isTransfer(_ header: MessageHeader) -> Bool {
        header.command == Command.dmaRead.rawValue || header.command == Command.dmaWrite.rawValue
    }

    /// Serves "VFIO_USER_DMA_READ" or "VFIO_USER_DMA_WRITE": only what is mapped, only as it was permitted. nil: the server
    /// wants no reply.
    func answer(_ message: IncomingMessage, _ limits: MessageLimits) -> OutgoingMessage? {
        let header = message.header
        let reply: OutgoingMessage
        switch transfer(message, limits) {
        case .success(let payload):
            reply = OutgoingMessage(
                header: MessageHeader(id: header.id, command: header.command, payloadByteCount: payload.count, isReply: true),
                payload: payload)
        case .failure(let errno): reply = OutgoingMessage(header: .refusal(of: header, errno), payload: [])
        }
        return header.noReply ? nil : reply
    }

    private func transfer(_ message: IncomingMessage, _ limits: MessageLimits) -> Result<[UInt8], Errno> {
        let isWrite = message.header.command == Command.dmaWrite.rawValue
        let asked: DMATransferMessage
        do throws(MessageError) {
            asked = try DMATransferMessage.parse(
                message.payload, hasData: isWrite, maximumByteCount: limits.maximumTransferByteCount,
                descriptorCount: message.descriptors.count)
        } catch { return .failure(.invalidArgument) }
        guard let count = Int(exactly: asked.count), (1...limits.maximumTransferByteCount).contains(count) else {
            return .failure(.invalidArgument)
        }
        return lock.withLock { _ in
            guard let buffer = buffer(limits.maximumTransferByteCount) else { return .failure(.noMemory) }
            var reply = DMATransferMessage(address: asked.address, count: asked.count)
            if isWrite {
                buffer.store(asked.data, at: 0)
                guard space.write(asked.address, byteCount: count, from: buffer, at: 0) else { return .failure(.badAddress) }
            } else {
                guard space.read(asked.address, byteCount: count, to: buffer, at: 0) else { return .failure(.badAddress) }
                reply.data = buffer.bytes(at: 0, byteCount: count)
            }
            return .success(reply.emit())
        }
    }

    /// Made for the first server that asks, kept for the device's life: a range may lie in several pieces.
    private func buffer(_ byteCount: Int) -> MemoryWindow? {
        if scratch == nil, let memory = try? DMAMemory.ordinary(byteCount: byteCount, name: "unic-transfer") {
            scratch = Scratch(memory)
        }
        return scratch?.memory.window
    }
}
