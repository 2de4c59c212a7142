public import DeviceMemory
import NicRegisters

/// The pieces of memory of one or more buffers, each descriptor read once into memory of our own: what is judged here is
/// what is used.
public struct DescriptorChains {
    /// A buffer of several pieces: the readable ones first. "Message Framing".
    public struct Chain: BitwiseCopyable, Sendable {
        public internal(set) var buffer: AvailableBuffer
        /// Numbers of its pieces.
        var first: Int
        var readable = 0
        var writable = 0
        public internal(set) var readableByteCount: UInt64 = 0
        public internal(set) var writableByteCount: UInt64 = 0
    }

    /// Pieces at once: a frame may lie in several buffers.
    public static let capacity = 1024
    public static var byteCount: Int { capacity * 16 }

    private let pieces: MemoryWindow
    private var count = 0

    public init(memory: MemoryWindow) { pieces = memory }

    public mutating func removeAll() { count = 0 }

    /// The writable part of a chain of another one, to be answered later. nil: there is no room.
    public mutating func keepWritable(_ chain: Chain, of other: borrowing DescriptorChains) -> Chain? {
        guard hasRoom(for: chain) else { return nil }
        var kept = chain
        (kept.first, kept.readable, kept.readableByteCount) = (count, 0, 0)
        for number in chain.first + chain.readable..<chain.first + chain.readable + chain.writable {
            let (address, byteCount) = other.piece(number)
            pieces.store64(address, at: count &* 16)
            pieces.store32(UInt32(truncatingIfNeeded: byteCount), at: count &* 16 &+ 8)
            count += 1
        }
        return kept
    }

    /// For its writable part.
    public func hasRoom(for chain: Chain) -> Bool { chain.writable <= DescriptorChains.capacity - count }

    func piece(_ number: Int) -> (address: UInt64, byteCount: Int) {
        (pieces.load64(at: number &* 16), Int(pieces.load32(at: number &* 16 &+ 8)))
    }

    /// Follows a buffer's chain. nil: the queue was stopped.
    /// - Parameter cursor: behind the buffer's first descriptor; of a packed ring it moves behind its last.
    public mutating func follow(
        _ buffer: AvailableBuffer, of queue: inout Virtqueue, _ cursor: inout RingCursor, allowsIndirect: Bool, dma: DMASpace
    ) -> Chain? {
        guard let parts = queue.parts else { return nil }
        var chain = Chain(buffer: buffer, first: count)
        var flags = buffer.flags
        var (address, byteCount, next) = (buffer.address, buffer.byteCount, buffer.next)
        for _ in 0..<Int(queue.size) {
            if flags.contains(.indirect) {
                guard allowsIndirect, !flags.contains(.next), !queue.isPacked || chain.buffer.slots == 1 else {
                    queue.stop(.chainOrder)
                    return nil
                }
                return followTable(address, byteCount, &chain, &queue, dma) ? chain : nil
            }
            guard append(address, byteCount, flags, &chain, &queue) else { return nil }
            guard flags.contains(.next) else { return chain }
            chain.buffer.slots &+= 1
            if queue.isPacked {
                let descriptor = queue.packedDescriptor(&cursor, parts)
                (address, byteCount, flags) = (descriptor.address, descriptor.byteCount, descriptor.flags)
                chain.buffer.id = descriptor.id
            } else {
                guard let descriptor = queue.splitDescriptor(next, parts) else { return nil }
                (address, byteCount, flags, next) = (descriptor.address, descriptor.byteCount, descriptor.flags, descriptor.next)
            }
        }
        queue.stop(.chainLength)
        return nil
    }

    /// "Indirect Descriptors": a table of 16-byte descriptors; split ones are linked, packed ones follow each other.
    private mutating func followTable(
        _ address: UInt64, _ byteCount: UInt32, _ chain: inout Chain, _ queue: inout Virtqueue, _ dma: DMASpace
    ) -> Bool {
        let entries = Int(byteCount) / 16
        guard entries > 0, byteCount & 15 == 0 else {
            queue.stop(.chainOrder)
            return false
        }
        // No chain may be longer than the queue, so that nothing beyond is looked at.
        guard entries <= Int(Virtio.maximumQueueSize), let table = dma.translate(IOVA(address), byteCount: entries &* 16, access: .read)
        else {
            queue.stop(.unreachable)
            return false
        }
        var at = 0
        for _ in 0..<Int(queue.size) {
            let (word0, word1) = (table.load64(at: at &* 16), table.load64(at: at &* 16 &+ 8))
            if queue.isPacked {
                let descriptor = Virtio.PackedDescriptor(word0: word0, word1: word1)
                // Only the direction counts.
                let flags = descriptor.flags.intersection(.write)
                guard append(descriptor.address, descriptor.byteCount, flags, &chain, &queue) else { return false }
                at &+= 1
                if at == entries { return true }
                continue
            }
            let descriptor = Virtio.SplitDescriptor(word0: word0, word1: word1)
            guard !descriptor.flags.contains(.indirect) else {
                queue.stop(.chainOrder)
                return false
            }
            guard append(descriptor.address, descriptor.byteCount, descriptor.flags, &chain, &queue) else { return false }
            guard descriptor.flags.contains(.next) else { return true }
            at = Int(descriptor.next)
            guard at < entries else {
                queue.stop(.descriptorIndex)
                return false
            }
        }
        queue.stop(.chainLength)
        return false
    }

    private mutating func append(
        _ address: UInt64, _ byteCount: UInt32, _ flags: Virtio.DescriptorFlags, _ chain: inout Chain, _ queue: inout Virtqueue
    ) -> Bool {
        // Nothing is where nothing is: no piece.
        if byteCount == 0 { return true }
        guard count < DescriptorChains.capacity, chain.readable &+ chain.writable < Int(queue.size) else {
            queue.stop(.chainLength)
            return false
        }
        if flags.contains(.write) {
            chain.writable += 1
            chain.writableByteCount &+= UInt64(byteCount)
        } else {
            guard chain.writable == 0 else {
                queue.stop(.chainOrder)
                return false
            }
            chain.readable += 1
            chain.readableByteCount &+= UInt64(byteCount)
        }
        pieces.store64(address, at: count &* 16)
        pieces.store32(byteCount, at: count &* 16 &+ 8)
        count += 1
        return true
    }

    // MARK: Copies

    /// Copies the readable part, as far as there is room. False: a piece cannot be reached.
    public func read(_ chain: Chain, to target: MemoryWindow, limit: Int, dma: DMASpace) -> Bool {
        var at = 0
        for number in chain.first..<chain.first + chain.readable {
            let (address, byteCount) = piece(number)
            let here = min(byteCount, limit - at)
            if here <= 0 { break }
            guard dma.read(IOVA(address), byteCount: here, to: target, at: at) else { return false }
            at += here
        }
        return true
    }

    /// Writes bytes into the writable part, from its byte `place` on. The caller knows that there is room. False: a piece
    /// cannot be reached.
    public func write(_ chain: Chain, at place: Int, _ source: MemoryWindow, from start: Int, byteCount total: Int, dma: DMASpace) -> Bool {
        var skipped = 0
        var done = 0
        for number in chain.first + chain.readable..<chain.first + chain.readable + chain.writable where done < total {
            let (address, byteCount) = piece(number)
            let inside = max(0, min(byteCount, place - skipped))
            skipped += inside
            let here = min(byteCount - inside, total - done)
            guard here > 0 else { continue }
            guard let target = IOVA(address).advanced(by: UInt64(inside)),
                dma.write(target, byteCount: here, from: source, at: start + done)
            else { return false }
            done += here
        }
        return done == total
    }
}
