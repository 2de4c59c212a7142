import DeviceMemory
import DeviceModel
import LinuxIO
import NicRegisters
import Testing

@testable import NicModels

/// A virtio-net model on a cable, and a driver of the test's own: registers, rings of both formats, commands. The test
/// holds the cable's other end.
final class VirtioBench {
    static let address: UInt64 = 0x0200_0000_0001
    static let peerAddress: UInt64 = 0x0200_0000_0002
    static let start: UInt64 = 0x1000_0000
    static let memoryByteCount = 4 << 20
    /// Queue areas of 16 KiB first, buffers of 16 KiB behind them.
    static let buffers = 0x10_0000
    /// All that an ordinary driver takes.
    static let usual: VirtioFeatures = [.version1, .accessPlatform, .mac, .mtu, .status, .mergeableBuffers, .controlQueue, .checksum]

    let environment: DeviceEnvironment
    let memory: DMAMemory
    let wire: CableWire
    let peer: CableWire
    var model: VirtioNetModel<CableWire>
    let isPacked: Bool
    let features: VirtioFeatures
    private(set) var queues: [Int: TestQueue] = [:]

    /// - Parameter features: what is negotiated; a packed bench adds RING_PACKED.
    init(
        packed: Bool = false, features: VirtioFeatures = VirtioBench.usual, options: VirtioNetOptions? = nil, depth: Int = 512
    ) throws {
        let options = options ?? VirtioNetOptions(offersPackedRings: packed)
        environment = try DeviceEnvironment(for: VirtioNetModel<CableWire>.functionDescription(options))
        memory = try DMAMemory.ordinary(byteCount: VirtioBench.memoryByteCount)
        (wire, peer) = try CableWire.pair(depth: depth)
        let range = try #require(IOVARange(start: IOVA(VirtioBench.start), byteCount: UInt64(memory.byteCount)))
        try environment.dma.map(range, to: memory.window, access: .readWrite)
        model = try VirtioNetModel(wire: wire, macAddress: VirtioBench.address, options: options, environment: environment)
        isPacked = packed
        self.features = packed ? features.union(.ringPacked) : features
        setCommand(0x0006)
    }

    /// Negotiated, with queues of 16 descriptors, and running.
    static func running(
        packed: Bool = false, features: VirtioFeatures = VirtioBench.usual, options: VirtioNetOptions? = nil, queues: [Int] = [0, 1, 2],
        size: UInt16 = 16
    ) throws -> VirtioBench {
        let bench = try VirtioBench(packed: packed, features: features, options: options)
        try #require(bench.negotiate())
        for index in queues { bench.setUpQueue(index, size: size) }
        bench.write([.acknowledge, .driver, .featuresOK, .driverOK], to: Virtio.Common.deviceStatus)
        return bench
    }

    // MARK: Registers and config space

    func read<Value, Access>(_ field: VirtioField<Value, Access>) -> Value {
        if field.byteCount == 8 {
            let low = model.readRegion(0, at: UInt64(field.offset), byteCount: 4)
            let high = model.readRegion(0, at: UInt64(field.offset + 4), byteCount: 4)
            return Value(bits: Value.Bits(truncatingIfNeeded: low | high << 32))
        }
        return Value(bits: Value.Bits(truncatingIfNeeded: model.readRegion(0, at: UInt64(field.offset), byteCount: field.byteCount)))
    }

    func write<Value, Access>(_ value: Value, to field: VirtioField<Value, Access>) {
        let bits = UInt64(truncatingIfNeeded: value.bits)
        if field.byteCount == 8 {
            model.writeRegion(0, at: UInt64(field.offset), bits & 0xffff_ffff, byteCount: 4)
            model.writeRegion(0, at: UInt64(field.offset + 4), bits >> 32, byteCount: 4)
        } else {
            model.writeRegion(0, at: UInt64(field.offset), bits, byteCount: field.byteCount)
        }
    }

    var status: VirtioStatus { read(Virtio.Common.deviceStatus) }
    func writeStatus(_ value: UInt8) { write(VirtioStatus(rawValue: value), to: Virtio.Common.deviceStatus) }

    func device<Value>(_ field: VirtioField<Value, ReadOnly>) -> Value {
        Value(bits: Value.Bits(truncatingIfNeeded: model.readRegion(0, at: UInt64(0x2000 + field.offset), byteCount: field.byteCount)))
    }

    func bar(_ offset: UInt64, _ byteCount: Int) -> UInt64 { model.readRegion(0, at: offset, byteCount: byteCount) }
    var wantsPolling: Bool { model.wantsPolling }
    func requestAnnouncement() -> Bool { model.requestAnnouncement() }

    func writeConfig(_ offset: Int, _ bytes: [UInt8]) {
        environment.writeConfig(at: offset, bytes: bytes)
        model.configWritten(at: offset, byteCount: bytes.count)
    }

    func setCommand(_ value: UInt16) { writeConfig(4, [UInt8(value & 0xff), UInt8(value >> 8)]) }

    var offered: VirtioFeatures {
        var bits: UInt64 = 0
        for half in UInt32(0)..<2 {
            write(half, to: Virtio.Common.deviceFeatureSelect)
            bits |= UInt64(read(Virtio.Common.deviceFeature)) << UInt64(32 * half)
        }
        return VirtioFeatures(rawValue: bits)
    }

    /// Up to FEATURES_OK; false: refused.
    func negotiate(_ wanted: VirtioFeatures? = nil) -> Bool {
        let bits = (wanted ?? features).rawValue
        writeStatus(0)
        writeStatus(1)
        writeStatus(3)
        for half in UInt32(0)..<2 {
            write(half, to: Virtio.Common.driverFeatureSelect)
            write(UInt32(truncatingIfNeeded: bits >> UInt64(32 * half)), to: Virtio.Common.driverFeature)
        }
        writeStatus(11)
        return status.contains(.featuresOK)
    }

    // MARK: Queues

    func queueArea(_ index: Int) -> Int { index * 0x4000 }
    func iova(_ offset: Int) -> UInt64 { VirtioBench.start + UInt64(offset) }
    func buffer(_ number: Int) -> Int { VirtioBench.buffers + number * 16384 }

    /// Writes a queue's fields and enables it.
    func setUpQueue(_ index: Int, size: UInt16 = 16, vector: UInt16 = Virtio.noVector) {
        let area = queueArea(index)
        memory.window.slice(at: area, byteCount: 0x4000).fill(0)
        write(UInt16(index), to: Virtio.Common.queueSelect)
        write(size, to: Virtio.Common.queueSize)
        write(iova(area), to: Virtio.Common.queueDescriptors)
        write(iova(area + 0x1000), to: Virtio.Common.queueDriver)
        write(iova(area + 0x2000), to: Virtio.Common.queueDevice)
        write(vector, to: Virtio.Common.queueVector)
        write(1, to: Virtio.Common.queueEnable)
        queues[index] = TestQueue(memory.window, area: area, size: Int(size), isPacked: isPacked, start: VirtioBench.start)
    }

    subscript(_ index: Int) -> TestQueue { queues[index]! }
    var receive: TestQueue { self[0] }
    var transmit: TestQueue { self[1] }
    var control: TestQueue { self[2] }

    /// Gives the receive queue `count` buffers, numbers from `first` on.
    func giveBuffers(_ count: Int, byteCount: Int = 2048, first: Int = 0, queue: Int = 0) {
        for number in first..<first + count { self[queue].add([.init(buffer(number), byteCount, isWritable: true)]) }
    }

    /// A received frame's header and bytes, out of one buffer.
    func received(_ number: Int, length: UInt32) -> (header: VirtioNet.Header, bytes: [UInt8]) {
        let at = buffer(number)
        let header = VirtioNet.Header(word0: memory.window.load64(at: at), word1: memory.window.load32(at: at + 8))
        return (header, memory.window.bytes(at: at + 12, byteCount: Int(length) - 12))
    }

    /// Puts header and frame into one buffer and makes it available.
    func send(_ bytes: [UInt8], header: VirtioNet.Header = VirtioNet.Header(), buffer number: Int = 0, queue: Int = 1) {
        put(header, at: buffer(number))
        memory.window.store(bytes, at: buffer(number) + 12)
        self[queue].add([.init(buffer(number), 12 + bytes.count)])
    }

    func put(_ header: VirtioNet.Header, at offset: Int) {
        memory.window.store64(header.word0, at: offset)
        memory.window.store32(header.word1, at: offset + 8)
    }

    /// Sends a command; its acknowledgement, nil if there is none.
    func command(_ command: VirtioNet.Command, _ data: [UInt8], queue: Int = 2) -> VirtioNet.Acknowledgement? {
        let at = buffer(60)
        memory.window.store(command.bytes + data, at: at)
        memory.window.store8(0xff, at: buffer(62))
        self[queue].add([.init(at, 2 + data.count), .init(buffer(62), 1, isWritable: true)])
        step()
        guard self[queue].takeUsed().count == 1 else { return nil }
        return VirtioNet.Acknowledgement(rawValue: memory.window.load8(at: buffer(62)))
    }

    // MARK: Time and wire

    @discardableResult func step(_ count: Int = 1) -> Bool {
        var worked = false
        for _ in 0..<count where model.progress() { worked = true }
        return worked
    }

    var counters: VirtioNetCounters { model.counters }

    func arrive(_ bytes: [UInt8]) throws {
        let frame = try DMAMemory.ordinary(byteCount: bytes.count)
        frame.window.store(bytes, at: 0)
        peer.send(frame.window.slice(at: 0, byteCount: bytes.count))
    }

    func sent() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = peer.nextReceived() {
            frames.append(frame.bytes(at: 0, byteCount: frame.byteCount))
            peer.dropReceived()
        }
        return frames
    }

    /// Gives a vector an eventfd, which the line counts the signals of.
    func connect(_ kind: InterruptLines.Kind, _ vector: Int) throws -> Line {
        let event = try EventFD()
        let line = Line(try OwnedDescriptor.duplicate(of: event.number))
        let isSet = environment.interrupts.set(kind, vector: vector, event: event)
        try #require(isSet)
        return line
    }
}

/// A connected vector.
final class Line {
    private let descriptor: OwnedDescriptor
    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    /// Signals since the last look.
    func signals() -> UInt64 { EventFD.drain(descriptor.number) }
}
