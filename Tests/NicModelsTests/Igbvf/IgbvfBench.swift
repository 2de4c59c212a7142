import DeviceMemory
import DeviceModel
import LinuxIO
import NicRegisters
import Testing

@testable import NicModels

/// A virtual function's model on a cable, driven by register writes, mail and descriptors; the test holds the cable's other
/// end. Rings of 8 descriptors, buffers of 16 KiB.
final class IgbvfBench {
    static let address = Bench.address
    static let start = IOVA(0x1000_0000)
    static let receiveRing = 0x0000
    static let transmitRing = 0x1000
    static let buffers = 0x8000

    let environment: DeviceEnvironment
    let memory: DMAMemory
    let peer: CableWire
    var model: IgbvfModel<CableWire>

    /// - Parameter address: the address that the PF gives; 0: none.
    init(address: UInt64 = IgbvfBench.address, isTrusting: Bool = true) throws {
        environment = try DeviceEnvironment(for: IgbvfModel<CableWire>.functionDescription)
        memory = try DMAMemory.ordinary(byteCount: Bench.memoryByteCount)
        let (wire, peer) = try CableWire.pair(depth: 64)
        self.peer = peer
        let range = try #require(IOVARange(start: IgbvfBench.start, byteCount: UInt64(memory.byteCount)))
        try environment.dma.map(range, to: memory.window, access: .readWrite)
        model = try IgbvfModel(wire: wire, macAddress: address, environment: environment, isTrusting: isTrusting)
        setCommand(0x0006)
    }

    // Registers, config space and mail.

    func read<V: RegisterValue, A>(_ register: Register<V, A>) -> V {
        V(bits: UInt32(truncatingIfNeeded: model.readRegion(0, at: UInt64(register.offset), byteCount: 4)))
    }

    func write<V: RegisterValue, A>(_ value: V, to register: Register<V, A>) {
        model.writeRegion(0, at: UInt64(register.offset), UInt64(value.bits), byteCount: 4)
    }

    func setCommand(_ value: UInt16) { writeConfig(4, [UInt8(value & 0xff), UInt8(value >> 8)]) }

    func writeConfig(_ offset: Int, _ bytes: [UInt8]) {
        environment.writeConfig(at: offset, bytes: bytes)
        model.configWritten(at: offset, byteCount: bytes.count)
    }

    /// The pages that a driver maps, from BAR offset 0x2000.
    var mapped: MemoryWindow { environment.memoryAreas(of: 0)[0].window }

    /// Sends mail and returns the answer's first three words; nil if there is none.
    @discardableResult func ask(_ words: [UInt32]) -> [UInt32]? {
        write(Igbvf.Mailbox.functionOwns, to: Igbvf.v2pmailbox)
        for (index, word) in words.enumerated() { write(word, to: Igbvf.vmbmem[index]) }
        write(Igbvf.Mailbox.request, to: Igbvf.v2pmailbox)
        guard read(Igbvf.v2pmailbox).contains(.physicalWrote) else { return nil }
        let answer = (0..<3).map { read(Igbvf.vmbmem[$0]) }
        write(Igbvf.Mailbox.acknowledge, to: Igbvf.v2pmailbox)
        return answer
    }

    @discardableResult func step(_ count: Int = 1) -> Bool {
        var worked = false
        for _ in 0..<count where model.progress() { worked = true }
        return worked
    }

    var counters: E1000ECounters { model.counters }

    // Rings.

    func iova(_ offset: Int) -> UInt64 { IgbvfBench.start.rawValue + UInt64(offset) }
    func buffer(_ index: Int) -> Int { IgbvfBench.buffers + index * 16384 }

    /// Shakes hands and starts both queues; 7 receive descriptors are the device's.
    func start(bufferSize: UInt32 = 2, given: UInt32 = 7) {
        ask([Igbvf.MessageHeader(.reset).bits])
        for index in 0..<8 { giveReceive(index, buffer: iova(buffer(index))) }
        write(UInt32(truncatingIfNeeded: iova(IgbvfBench.receiveRing)), to: Igbvf.rdbal[0])
        write(128, to: Igbvf.rdlen[0])
        var split = Igbvf.SplitControl.dropEnable
        split.bufferSize = bufferSize
        split.descriptorType = 1
        write(split, to: Igbvf.srrctl[0])
        write(Igbvf.QueueControl.enable, to: Igbvf.rxdctl[0])
        write(given, to: Igbvf.rdt[0])
        write(UInt32(truncatingIfNeeded: iova(IgbvfBench.transmitRing)), to: Igbvf.tdbal[0])
        write(128, to: Igbvf.tdlen[0])
        write(Igbvf.QueueControl.enable, to: Igbvf.txdctl[0])
    }

    func giveReceive(_ index: Int, buffer: UInt64) {
        memory.window.store64(buffer, at: IgbvfBench.receiveRing + index * 16)
        memory.window.store64(0, at: IgbvfBench.receiveRing + index * 16 + 8)
    }

    func received(_ index: Int) -> Igbvf.RxWriteBack {
        Igbvf.RxWriteBack(
            word0: memory.window.load64(at: IgbvfBench.receiveRing + index * 16),
            word1: memory.window.load64(at: IgbvfBench.receiveRing + index * 16 + 8))
    }

    func receivedBytes(_ index: Int) -> [UInt8] { memory.window.bytes(at: buffer(index), byteCount: Int(received(index).length)) }

    func put<D: Descriptor>(_ descriptor: D, at index: Int) {
        memory.window.store64(descriptor.word0, at: IgbvfBench.transmitRing + index * 16)
        memory.window.store64(descriptor.word1, at: IgbvfBench.transmitRing + index * 16 + 8)
    }

    func isDone(_ index: Int) -> Bool {
        Igbvf.TxDataDescriptor(word0: 0, word1: memory.window.load64(at: IgbvfBench.transmitRing + index * 16 + 8)).isDone
    }

    static let whole: E1000E.TxCommand = [.endOfPacket, .insertFCS, .reportStatus]

    func putFrame(_ bytes: [UInt8], at index: Int, options: E1000E.TxPacketOptions = []) {
        memory.window.store(bytes, at: buffer(index))
        put(
            Igbvf.TxDataDescriptor(
                bufferAddress: iova(buffer(index)), length: UInt16(bytes.count), command: IgbvfBench.whole, options: options,
                payloadLength: UInt32(bytes.count)), at: index)
    }

    // The wire.

    func arrive(_ bytes: [UInt8]) throws {
        let frame = try DMAMemory.ordinary(byteCount: bytes.count)
        frame.window.store(bytes, at: 0)
        peer.send(frame.window.slice(at: 0, byteCount: bytes.count))
    }

    /// What the model sent, in order.
    func sent() -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = peer.nextReceived() {
            frames.append(frame.bytes(at: 0, byteCount: frame.byteCount))
            peer.dropReceived()
        }
        return frames
    }
}
