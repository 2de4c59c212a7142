import DeviceMemory
import NicRegisters

/// The device's side of one virtqueue, driven by hand: it may use any identifier, any length, any index.
final class ScriptedQueue {
    var size = 256
    var vector: UInt16 = 0xffff
    var isEnabled = false
    var notifyOffset: UInt16 = 0
    private var addresses: [UInt64] = [0, 0, 0]
    private var dma = DMASpace()
    private var isPacked = false
    /// Entries used so far, and chains taken.
    private(set) var used = 0
    private var taken = 0
    /// Packed only: where the buffers are that were taken, by identifier. A used descriptor overwrites what stood there.
    private var packedBuffers: [Int: UInt64] = [:]

    func reset() {
        isEnabled = false
        vector = 0xffff
        (used, taken) = (0, 0)
        packedBuffers = [:]
        addresses = [0, 0, 0]
    }

    func attach(_ dma: DMASpace, isPacked: Bool) {
        self.dma = dma
        self.isPacked = isPacked
    }

    func setAddress(_ offset: Int, _ half: UInt32) {
        let index = offset / 8
        addresses[index] =
            offset & 4 == 0 ? addresses[index] & ~0xffff_ffff | UInt64(half) : addresses[index] & 0xffff_ffff | UInt64(half) << 32
    }

    func memory(_ address: UInt64, _ byteCount: Int) -> MemoryWindow {
        guard let window = dma.translate(IOVA(address), byteCount: byteCount, access: .readWrite) else {
            preconditionFailure("\(byteCount) bytes at \(address) are not mapped")
        }
        return window
    }

    private var descriptors: MemoryWindow { memory(addresses[0], 16 * size) }
    private var driverArea: MemoryWindow { memory(addresses[1], isPacked ? 4 : 6 + 2 * size) }
    private var deviceArea: MemoryWindow { memory(addresses[2], isPacked ? 4 : 6 + 8 * size) }

    /// What the driver wrote for a descriptor: address, and length with flags.
    func descriptor(_ index: Int) -> (address: UInt64, byteCount: UInt32) {
        (descriptors.load64(at: 16 * index), descriptors.load32(at: 16 * index + 8))
    }

    var availableIndex: UInt16 { driverArea.load16(at: 2) }
    /// Split only: the identifier that the driver offered at a place of the available ring.
    func available(_ number: Int) -> UInt16 { driverArea.load16(at: 4 + 2 * (number % size)) }
    /// Whether the driver gave the packed descriptor of this number to the device.
    func isAvailable(_ number: Int) -> Bool {
        let flags = descriptors.load16(at: 16 * (number % size) + 14)
        return flags & 0x8080 == ((number / size) % 2 == 0 ? 0x0080 : 0x8000)
    }

    /// Where the buffer is that the driver offered under an identifier.
    private func address(ofBuffer id: Int) -> UInt64 {
        guard isPacked else { return descriptor(id).address }
        takeOffered()
        guard let address = packedBuffers[id] else { preconditionFailure("buffer \(id) was never offered") }
        return address
    }

    private func takeOffered() {
        while taken < used + size, isAvailable(taken) {
            let index = taken % size
            packedBuffers[Int(descriptors.load16(at: 16 * index + 12))] = descriptor(index).address
            taken += 1
        }
    }

    /// Puts a header and nothing else into the buffer of a descriptor, and uses it.
    func receive(
        _ id: Int, length: Int, flags: UInt8 = 0, segmentation: UInt8 = 0, start: UInt16 = 0, offset: UInt16 = 0, buffers: UInt16 = 1
    ) {
        let buffer = memory(address(ofBuffer: id), 12)
        buffer.store8(flags, at: 0)
        buffer.store8(segmentation, at: 1)
        buffer.store32(0, at: 2)
        buffer.store16(start, at: 6)
        buffer.store16(offset, at: 8)
        buffer.store16(buffers, at: 10)
        use(UInt32(id), byteCount: UInt32(12 + length))
    }

    /// Says that a buffer is used.
    func use(_ id: UInt32, byteCount: UInt32 = 0) {
        if isPacked {
            takeOffered()
            let at = 16 * (used % size)
            descriptors.store32(byteCount, at: at + 8)
            descriptors.store16(UInt16(truncatingIfNeeded: id), at: at + 12)
            descriptors.store16((used / size) % 2 == 0 ? 0x8080 : 0, at: at + 14)
        } else {
            let at = 4 + 8 * (used % size)
            deviceArea.store32(id, at: at)
            deviceArea.store32(byteCount, at: at + 4)
            deviceArea.store16(UInt16(truncatingIfNeeded: used + 1), at: 2)
        }
        used += 1
    }

    /// Split only: says that the used ring is at some index.
    func setUsedIndex(_ index: UInt16) { deviceArea.store16(index, at: 2) }

    /// Whether the driver shall notify.
    func wantNotifications(_ wanted: Bool) {
        if isPacked { deviceArea.store16(wanted ? 0 : 1, at: 2) } else { deviceArea.store16(wanted ? 0 : 1, at: 0) }
    }

    /// With the event index: notify when the buffer of this number is offered.
    func wantNotification(at number: Int) {
        if isPacked {
            deviceArea.store16(UInt16(number % size) | ((number / size) % 2 == 0 ? 0x8000 : 0), at: 0)
            deviceArea.store16(2, at: 2)
        } else {
            deviceArea.store16(UInt16(truncatingIfNeeded: number), at: 4 + 8 * size)
        }
    }

    // The control queue's side: chains of two.

    struct Chain {
        let bytes: [UInt8]
        let answer: MemoryWindow
        let id: UInt32
    }

    func nextChain() -> Chain? {
        if isPacked {
            guard isAvailable(taken) else { return nil }
            let (first, second) = (taken % size, (taken + 1) % size)
            taken += 2
            return chain(first, second, id: UInt32(descriptors.load16(at: 16 * second + 12)))
        }
        guard availableIndex != UInt16(truncatingIfNeeded: taken) else { return nil }
        let head = Int(available(taken))
        taken += 1
        return chain(head, Int(descriptors.load16(at: 16 * head + 14)), id: UInt32(head))
    }

    private func chain(_ first: Int, _ second: Int, id: UInt32) -> Chain {
        let request = descriptor(first)
        return Chain(
            bytes: memory(request.address, Int(request.byteCount)).bytes(at: 0, byteCount: Int(request.byteCount)),
            answer: memory(descriptor(second).address, 1), id: id)
    }

    func answer(_ answer: UInt8, to chain: Chain) {
        chain.answer.store8(answer, at: 0)
        use(chain.id, byteCount: 1)
        // A packed chain takes two places.
        if isPacked { used += 1 }
    }
}
