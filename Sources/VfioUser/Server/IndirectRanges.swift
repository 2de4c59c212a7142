import DeviceMemory
import LinuxIO

/// DMA ranges that cannot be mapped: their owner is asked by message (VFIO_USER_DMA_READ, VFIO_USER_DMA_WRITE), or their
/// file is read and written.
final class IndirectRanges: IndirectMemory {
    private final class Part {
        let range: IOVARange
        let access: DMAAccess
        let fileOffset: UInt64
        let file: OwnedDescriptor?

        init(_ message: DMAMapMessage, file: consuming OwnedDescriptor?) {
            range = message.range
            access = message.access
            fileOffset = message.fileOffset
            self.file = file
        }

        var hasFile: Bool { file != nil }
    }

    /// The client of these ranges, while it is connected.
    var owner: ClientChannel?
    /// What the client takes in one command.
    var maximumTransferByteCount = Int(Capabilities.defaultTransferByteCount)
    /// For an answer.
    private static let milliseconds: UInt64 = 5000
    private var parts: [IOVA: Part] = [:]

    var count: Int { parts.count }
    func add(_ message: DMAMapMessage, file: consuming OwnedDescriptor?) { parts[message.range.start] = Part(message, file: file) }
    func remove(_ start: IOVA) { parts[start] = nil }
    func removeAll() { parts = [:] }

    func writable(in range: IOVARange) -> [IOVARange] {
        parts.values.filter { $0.access.contains(.write) && $0.range.overlaps(range) }.map(\.range)
    }

    /// There are few, and each access to one is a system call.
    private func part(at iova: IOVA, _ access: DMAAccess) -> Part? {
        parts.values.first { $0.range.start <= iova && iova.rawValue <= $0.range.last && $0.access.isSuperset(of: access) }
    }

    /// At most to the part's end, and as much as a message carries.
    private func size(_ part: Part, _ iova: IOVA, _ byteCount: Int) -> Int {
        min(byteCount, maximumTransferByteCount, Int(clamping: part.range.last - iova.rawValue) &+ 1)
    }

    func read(_ iova: IOVA, byteCount: Int, to target: MemoryWindow, at targetOffset: Int) -> Int {
        guard let part = part(at: iova, .read), byteCount > 0 else { return 0 }
        let count = size(part, iova, byteCount)
        guard let bytes = part.hasFile ? readFile(part, iova, count) : ask(iova, count) else { return 0 }
        target.store(bytes, at: targetOffset)
        return count
    }

    func write(_ iova: IOVA, byteCount: Int, from source: MemoryWindow, at sourceOffset: Int) -> Int {
        guard let part = part(at: iova, .write), byteCount > 0 else { return 0 }
        let count = size(part, iova, byteCount)
        let bytes = source.bytes(at: sourceOffset, byteCount: count)
        return (part.hasFile ? writeFile(part, iova, bytes) : tell(iova, bytes)) ? count : 0
    }

    private func place(_ part: Part, _ iova: IOVA) -> Int64 {
        Int64(clamping: part.fileOffset + (iova.rawValue - part.range.start.rawValue))
    }

    private func readFile(_ part: Part, _ iova: IOVA, _ count: Int) -> [UInt8]? {
        try? part.file?.read(byteCount: count, at: place(part, iova), subject: "DMA memory")
    }

    private func writeFile(_ part: Part, _ iova: IOVA, _ bytes: [UInt8]) -> Bool {
        (try? part.file?.write(bytes, at: place(part, iova), subject: "DMA memory")) != nil
    }

    private func ask(_ iova: IOVA, _ count: Int) -> [UInt8]? {
        let request = DMATransferMessage(address: iova, count: UInt64(count))
        guard let answer = owner?.request(.dmaRead, request.emit(), timeoutMilliseconds: Self.milliseconds),
            let reply = try? DMATransferMessage.parse(answer, hasData: true, maximumByteCount: count, descriptorCount: 0),
            reply.address == iova, reply.data.count == count
        else { return nil }
        return reply.data
    }

    private func tell(_ iova: IOVA, _ bytes: [UInt8]) -> Bool {
        let request = DMATransferMessage(address: iova, count: UInt64(bytes.count), data: bytes)
        guard let answer = owner?.request(.dmaWrite, request.emit(), timeoutMilliseconds: Self.milliseconds),
            let reply = try? DMATransferMessage.parse(answer, hasData: false, maximumByteCount: bytes.count, descriptorCount: 0)
        else { return false }
        return reply.address == iova && reply.count == UInt64(bytes.count)
    }
}
