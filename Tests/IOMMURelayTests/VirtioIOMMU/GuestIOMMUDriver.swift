import DeviceMemory

/// How a guest reaches a PCI function: a model in this process, or one behind a socket.
protocol GuestFunctionAccess: AnyObject {
    func readBAR(_ bar: Int, at offset: UInt64, byteCount: Int) -> UInt64
    func writeBAR(_ bar: Int, at offset: UInt64, _ value: UInt64, byteCount: Int)
    func readConfig(at offset: Int, byteCount: Int) -> UInt64
    func writeConfig(at offset: Int, _ value: UInt64, byteCount: Int)
    /// Lets the device work, if nobody else does.
    func letWork()
}

/// A guest's virtio-iommu driver as Linux's is (drivers/iommu/virtio-iommu.c, drivers/virtio/virtio_pci_modern.c): finds
/// the structures by the capabilities, negotiates, sets two queues up, fills the event queue, and waits for answers by
/// looking at the used ring. Numbers are written out, not taken from the tables of the sources.
final class GuestIOMMUDriver {
    struct Structure: Equatable {
        var bar = 0
        var offset: UInt64 = 0
        var byteCount: UInt64 = 0
    }

    enum Failure: Error, Equatable { case noStructure(UInt8), featuresRefused, noAnswer, ringFull }

    let access: any GuestFunctionAccess
    let memory: MemoryWindow
    /// The guest-physical address of the memory's first byte.
    let start: UInt64
    private(set) var structures: [UInt8: Structure] = [:]
    private(set) var notifyMultiplier: UInt64 = 0
    private(set) var offered: UInt64 = 0
    private(set) var features: UInt64 = 0
    private(set) var requests: GuestVirtioQueue
    private(set) var events: GuestVirtioQueue
    private(set) var notifications = 0
    /// Where buffers are: requests of 1 KiB each, event buffers of 64 bytes, indirect tables of 64 bytes.
    let requestBuffers: Int
    let eventBuffers: Int
    let tables: Int

    static let memoryByteCount = 2 << 20
    static let requestQueueSize = 1024
    static let eventQueueSize = 64

    /// - Parameter memory: ``memoryByteCount`` bytes at least.
    init(_ access: any GuestFunctionAccess, memory: MemoryWindow, start: UInt64) {
        self.access = access
        self.memory = memory
        self.start = start
        requests = GuestVirtioQueue(memory, at: 0, size: Self.requestQueueSize, start: start)
        let second = GuestVirtioQueue.byteCount(size: Self.requestQueueSize)
        events = GuestVirtioQueue(memory, at: second, size: Self.eventQueueSize, start: start)
        eventBuffers = second + GuestVirtioQueue.byteCount(size: Self.eventQueueSize)
        tables = eventBuffers + 64 * Self.eventQueueSize
        requestBuffers = tables + 64 * Self.requestQueueSize
    }

    // MARK: Initialisation

    /// "Driver Requirements: Device Initialization", as Linux does it.
    func initialise(wanting wanted: UInt64 = GuestIOMMUDriver.linuxFeatures, eventBufferByteCount: Int = 24) throws(Failure) {
        findStructures()
        for kind in UInt8(1)...4 where structures[kind] == nil { throw .noStructure(kind) }
        // Memory and bus master.
        access.writeConfig(at: 4, 0x6, byteCount: 2)
        writeStatus(0)
        writeStatus(1)
        writeStatus(3)
        offered = 0
        for half in UInt64(0)..<2 {
            write(half, at: 0, byteCount: 4)
            offered |= read(4, byteCount: 4) << (32 * half)
        }
        features = offered & wanted
        for half in UInt64(0)..<2 {
            write(half, at: 8, byteCount: 4)
            write(features >> (32 * half) & 0xffff_ffff, at: 12, byteCount: 4)
        }
        writeStatus(11)
        guard status & 8 != 0 else { throw .featuresRefused }
        requests = setUpQueue(0, requests, vector: 0xffff)
        events = setUpQueue(1, events, vector: 1)
        writeStatus(15)
        for number in 0..<Self.eventQueueSize {
            events.add([.init(eventBuffers + 64 * number, eventBufferByteCount, isWritable: true)])
        }
        events.publish()
        notify(1)
    }

    /// VERSION_1, EVENT_IDX, INDIRECT_DESC and every feature of the IOMMU that Linux takes.
    static let linuxFeatures: UInt64 = 1 << 32 | 1 << 29 | 1 << 28 | 0b0101_0111 | 1 << 5

    private func findStructures() {
        structures = [:]
        var at = Int(access.readConfig(at: 0x34, byteCount: 1))
        for _ in 0..<48 where at >= 0x40 {
            if access.readConfig(at: at, byteCount: 1) == 9 {
                let kind = UInt8(access.readConfig(at: at + 3, byteCount: 1))
                structures[kind] = Structure(
                    bar: Int(access.readConfig(at: at + 4, byteCount: 1)), offset: access.readConfig(at: at + 8, byteCount: 4),
                    byteCount: access.readConfig(at: at + 12, byteCount: 4))
                if kind == 2 { notifyMultiplier = access.readConfig(at: at + 16, byteCount: 4) }
            }
            at = Int(access.readConfig(at: at + 1, byteCount: 1))
        }
    }

    private func setUpQueue(_ index: Int, _ old: GuestVirtioQueue, vector: UInt64) -> GuestVirtioQueue {
        write(UInt64(index), at: 22, byteCount: 2)
        let size = min(Int(read(24, byteCount: 2)), old.size)
        let queue = GuestVirtioQueue(memory, at: old.descriptors, size: size, start: start)
        write(UInt64(size), at: 24, byteCount: 2)
        for (at, part) in [(32, queue.descriptors), (40, queue.driver), (48, queue.device)] {
            let address = start + UInt64(part)
            write(address & 0xffff_ffff, at: at, byteCount: 4)
            write(address >> 32, at: at + 4, byteCount: 4)
        }
        write(vector, at: 26, byteCount: 2)
        write(1, at: 28, byteCount: 2)
        return queue
    }

    func reset() {
        writeStatus(0)
        requests = GuestVirtioQueue(memory, at: requests.descriptors, size: requests.size, start: start)
        events = GuestVirtioQueue(memory, at: events.descriptors, size: events.size, start: start)
    }

    // MARK: Registers

    func read(_ offset: UInt64, byteCount: Int) -> UInt64 {
        let place = structures[1] ?? Structure()
        return access.readBAR(place.bar, at: place.offset + offset, byteCount: byteCount)
    }

    func write(_ value: UInt64, at offset: Int, byteCount: Int) {
        let place = structures[1] ?? Structure()
        access.writeBAR(place.bar, at: place.offset + UInt64(offset), value, byteCount: byteCount)
    }

    var status: UInt64 { read(20, byteCount: 1) }
    func writeStatus(_ value: UInt64) { write(value, at: 20, byteCount: 1) }
    var generation: UInt64 { read(21, byteCount: 1) }

    /// A field of the device configuration.
    func configuration(_ offset: UInt64, byteCount: Int) -> UInt64 {
        let place = structures[4] ?? Structure()
        if byteCount == 8 { return configuration(offset, byteCount: 4) | configuration(offset + 4, byteCount: 4) << 32 }
        return access.readBAR(place.bar, at: place.offset + offset, byteCount: byteCount)
    }

    func writeConfiguration(_ value: UInt64, at offset: UInt64, byteCount: Int) {
        let place = structures[4] ?? Structure()
        access.writeBAR(place.bar, at: place.offset + offset, value, byteCount: byteCount)
    }

    /// VIRTIO_PCI_COMMON_Q_NOFF of each queue, times the capability's multiplier.
    func notify(_ index: Int) {
        let queue = index == 0 ? requests : events
        guard features & 1 << 29 == 0 || queue.needsNotification() else { return }
        notifications += 1
        write(UInt64(index), at: 22, byteCount: 2)
        let offset = read(30, byteCount: 2) &* notifyMultiplier
        let place = structures[2] ?? Structure()
        access.writeBAR(place.bar, at: place.offset + offset, UInt64(index), byteCount: 2)
    }

    // MARK: Requests

    struct Answer: Equatable {
        /// Bytes that the device says that it wrote.
        var length: Int
        /// All of the writable part.
        var bytes: [UInt8]
        /// Of the tail in the last 4 bytes.
        var status: UInt8 { bytes.count >= 4 ? bytes[bytes.count - 4] : 0xff }
    }

    /// Puts requests into the ring, notifies once, and waits until all are answered. The answers' bytes were 0xee before.
    func send(_ all: [(readable: [UInt8], writableByteCount: Int)], indirect: Bool = false) throws(Failure) -> [Answer] {
        var places: [Int: Int] = [:]
        for (number, one) in all.enumerated() {
            guard let id = put(one.readable, one.writableByteCount, slot: number, indirect: indirect) else { throw .ringFull }
            places[id] = number
        }
        requests.publish()
        notify(0)
        var answers = [Answer](repeating: Answer(length: -1, bytes: []), count: all.count)
        for _ in 0..<100_000 where !places.isEmpty {
            access.letWork()
            while let used = requests.takeUsed() {
                guard let number = places.removeValue(forKey: used.id) else { continue }
                let one = all[number]
                let at = buffer(number) + one.readable.count
                answers[number] = Answer(length: used.length, bytes: memory.bytes(at: at, byteCount: one.writableByteCount))
            }
        }
        guard places.isEmpty else { throw .noAnswer }
        return answers
    }

    func buffer(_ slot: Int) -> Int { requestBuffers + 1024 * slot }

    /// One request into the ring, not yet published.
    func put(_ readable: [UInt8], _ writableByteCount: Int, slot: Int, indirect: Bool = false) -> Int? {
        let at = buffer(slot)
        memory.store(readable, at: at)
        memory.slice(at: at + readable.count, byteCount: writableByteCount).fill(0xee)
        var pieces: [GuestVirtioQueue.Piece] = []
        if !readable.isEmpty { pieces.append(.init(at, readable.count)) }
        if writableByteCount > 0 { pieces.append(.init(at + readable.count, writableByteCount, isWritable: true)) }
        return requests.add(pieces, table: indirect ? tables + 64 * slot : nil)
    }

    func send(_ readable: [UInt8], writable: Int = 4, indirect: Bool = false) throws(Failure) -> Answer {
        try send([(readable, writable)], indirect: indirect)[0]
    }

    func attach(endpoint: UInt32, domain: UInt32, flags: UInt32 = 0) throws(Failure) -> UInt8 {
        try send(GuestIOMMURequest.attach(endpoint: endpoint, domain: domain, flags: flags)).status
    }

    func detach(endpoint: UInt32, domain: UInt32) throws(Failure) -> UInt8 {
        try send(GuestIOMMURequest.detach(endpoint: endpoint, domain: domain)).status
    }

    func map(domain: UInt32, _ first: UInt64, _ last: UInt64, to physical: UInt64, flags: UInt32 = 3) throws(Failure) -> UInt8 {
        try send(GuestIOMMURequest.map(domain: domain, first, last, to: physical, flags: flags)).status
    }

    func unmap(domain: UInt32, _ first: UInt64, _ last: UInt64) throws(Failure) -> UInt8 {
        try send(GuestIOMMURequest.unmap(domain: domain, first, last)).status
    }

    /// The properties too, without the tail.
    func probe(endpoint: UInt32) throws(Failure) -> (status: UInt8, properties: [UInt8]) {
        let byteCount = Int(configuration(32, byteCount: 4))
        let answer = try send(GuestIOMMURequest.probe(endpoint: endpoint), writable: byteCount + 4)
        return (answer.status, Array(answer.bytes.prefix(byteCount)))
    }

    // MARK: Events

    /// Reports that came; each buffer goes back to the device.
    func takeEvents() -> [[UInt8]] {
        var found: [[UInt8]] = []
        while let used = events.takeUsed() {
            let at = Int(memory.load64(at: events.descriptors + 16 * used.id) - start)
            let byteCount = Int(memory.load32(at: events.descriptors + 16 * used.id + 8))
            found.append(memory.bytes(at: at, byteCount: min(used.length, byteCount)))
            events.add([.init(at, byteCount, isWritable: true)])
        }
        events.publish()
        notify(1)
        return found
    }
}

/// Requests' readable parts, byte by byte as virtio 1.3 §5.13 "Device operations" has them.
enum GuestIOMMURequest {
    static func attach(endpoint: UInt32, domain: UInt32, flags: UInt32 = 0, reserved: UInt32 = 0) -> [UInt8] {
        [1, 0, 0, 0] + bytes(domain) + bytes(endpoint) + bytes(flags) + bytes(reserved)
    }
    static func detach(endpoint: UInt32, domain: UInt32, reserved: UInt64 = 0) -> [UInt8] {
        [2, 0, 0, 0] + bytes(domain) + bytes(endpoint) + bytes(reserved)
    }
    static func map(domain: UInt32, _ first: UInt64, _ last: UInt64, to physical: UInt64, flags: UInt32 = 3) -> [UInt8] {
        [3, 0, 0, 0] + bytes(domain) + bytes(first) + bytes(last) + bytes(physical) + bytes(flags)
    }
    static func unmap(domain: UInt32, _ first: UInt64, _ last: UInt64, reserved: UInt32 = 0) -> [UInt8] {
        [4, 0, 0, 0] + bytes(domain) + bytes(first) + bytes(last) + bytes(reserved)
    }
    static func probe(endpoint: UInt32, reserved: UInt8 = 0) -> [UInt8] {
        [5, 0, 0, 0] + bytes(endpoint) + [UInt8](repeating: reserved, count: 64)
    }

    static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value(8 * $0)) }
    }
}
