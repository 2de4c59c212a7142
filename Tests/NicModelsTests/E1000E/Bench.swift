import DeviceMemory
import DeviceModel
import LinuxIO
import NicRegisters
import Testing

@testable import NicModels

/// A model on a cable, driven by register writes and descriptors; the test holds the cable's other end.
final class Bench {
    static let address: UInt64 = 0x0200_0000_0001
    static let peerAddress: UInt64 = 0x0200_0000_0002
    static let start = IOVA(0x1000_0000)
    static let memoryByteCount = 1 << 20

    /// Places in DMA memory: rings first, buffers of 16 KiB after them.
    static let receiveRing = 0x0000
    static let transmitRing = 0x1000
    static let secondTransmitRing = 0x2000
    static let buffers = 0x8000

    let environment: DeviceEnvironment
    let memory: DMAMemory
    let wire: CableWire
    let peer: CableWire
    var model: E1000EModel<CableWire>

    init(depth: Int = 64) throws {
        environment = try DeviceEnvironment(for: E1000EModel<CableWire>.functionDescription)
        memory = try DMAMemory.ordinary(byteCount: Bench.memoryByteCount)
        (wire, peer) = try CableWire.pair(depth: depth)
        let range = try #require(IOVARange(start: Bench.start, byteCount: UInt64(memory.byteCount)))
        try environment.dma.map(range, to: memory.window, access: .readWrite)
        model = try E1000EModel(wire: wire, macAddress: Bench.address, environment: environment)
        setCommand(0x0006)
    }

    // Registers and config space.

    func read<V: RegisterValue, A>(_ register: Register<V, A>) -> V {
        V(bits: UInt32(truncatingIfNeeded: model.readRegion(0, at: UInt64(register.offset), byteCount: 4)))
    }

    func write<V: RegisterValue, A>(_ value: V, to register: Register<V, A>) {
        model.writeRegion(0, at: UInt64(register.offset), UInt64(value.bits), byteCount: 4)
    }

    func writeConfig(_ offset: Int, _ bytes: [UInt8]) {
        environment.writeConfig(at: offset, bytes: bytes)
        model.configWritten(at: offset, byteCount: bytes.count)
    }

    func setCommand(_ value: UInt16) { writeConfig(4, [UInt8(value & 0xff), UInt8(value >> 8)]) }

    /// The pages that a driver maps, from BAR offset 0x2000.
    var mapped: MemoryWindow { environment.memoryAreas(of: 0)[0].window }

    var counters: E1000ECounters { model.counters }
    var wantsPolling: Bool { model.wantsPolling }

    @discardableResult func step(_ count: Int = 1) -> Bool {
        var worked = false
        for _ in 0..<count where model.progress() { worked = true }
        return worked
    }

    // Rings.

    func iova(_ offset: Int) -> UInt64 { Bench.start.rawValue + UInt64(offset) }
    func buffer(_ index: Int) -> Int { Bench.buffers + index * 16384 }

    /// 8 descriptors with a buffer each, all but one given to the device.
    func startReceive(
        _ control: E1000E.ReceiveControl = [.stripCRC, .broadcastAccept], extended: Bool = true, count: Int = 8, given: UInt32 = 7
    ) {
        for index in 0..<count { giveReceive(index, buffer: iova(buffer(index))) }
        write(UInt32(truncatingIfNeeded: iova(Bench.receiveRing)), to: E1000E.rdbal[0])
        write(UInt32(truncatingIfNeeded: iova(Bench.receiveRing) >> 32), to: E1000E.rdbah[0])
        write(UInt32(count * 16), to: E1000E.rdlen[0])
        write(0, to: E1000E.rdh[0])
        write(given, to: E1000E.rdt[0])
        write(extended ? E1000E.ReceiveFilterControl.extendedStatus : [], to: E1000E.rfctl)
        write(control.union(.enable), to: E1000E.rctl)
    }

    func giveReceive(_ index: Int, buffer: UInt64) {
        memory.window.store64(buffer, at: Bench.receiveRing + index * 16)
        memory.window.store64(0, at: Bench.receiveRing + index * 16 + 8)
    }

    func received(_ index: Int) -> E1000E.RxWriteBack {
        E1000E.RxWriteBack(
            word0: memory.window.load64(at: Bench.receiveRing + index * 16),
            word1: memory.window.load64(at: Bench.receiveRing + index * 16 + 8))
    }

    func receivedBytes(_ index: Int) -> [UInt8] {
        memory.window.bytes(at: buffer(index), byteCount: Int(received(index).length))
    }

    func startTransmit(_ control: E1000E.TransmitControl = .padShortPackets, queue: Int = 0, count: Int = 8) {
        let ring = iova(queue == 0 ? Bench.transmitRing : Bench.secondTransmitRing)
        write(UInt32(truncatingIfNeeded: ring), to: E1000E.tdbal[queue])
        write(UInt32(truncatingIfNeeded: ring >> 32), to: E1000E.tdbah[queue])
        write(UInt32(count * 16), to: E1000E.tdlen[queue])
        write(0, to: E1000E.tdh[queue])
        write(0, to: E1000E.tdt[queue])
        write(control.union(.enable), to: E1000E.tctl)
    }

    func put<D: Descriptor>(_ descriptor: D, at index: Int, queue: Int = 0) {
        let ring = queue == 0 ? Bench.transmitRing : Bench.secondTransmitRing
        memory.window.store64(descriptor.word0, at: ring + index * 16)
        memory.window.store64(descriptor.word1, at: ring + index * 16 + 8)
    }

    func transmitStatus(_ index: Int) -> E1000E.TxStatus {
        E1000E.TxLegacyDescriptor(word0: 0, word1: memory.window.load64(at: Bench.transmitRing + index * 16 + 8)).status
    }

    static let whole: E1000E.TxCommand = [.endOfPacket, .insertFCS, .reportStatus]

    /// Puts bytes in a buffer and a legacy descriptor for them in the ring.
    func putFrame(_ bytes: [UInt8], at index: Int, command: E1000E.TxCommand = Bench.whole) {
        memory.window.store(bytes, at: buffer(index))
        put(
            E1000E.TxLegacyDescriptor(bufferAddress: iova(buffer(index)), length: UInt16(bytes.count), command: command), at: index)
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

/// An Ethernet frame with a counting payload.
func frame(to destination: UInt64 = Bench.address, byteCount: Int = 60, type: [UInt8] = [0x88, 0xb5], first: UInt8 = 0) -> [UInt8] {
    let header = addressBytes(destination) + addressBytes(Bench.peerAddress) + type
    return header + (0..<max(0, byteCount - header.count)).map { UInt8(truncatingIfNeeded: $0) &+ first }
}

func addressBytes(_ address: UInt64) -> [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: address >> UInt64(40 - 8 * $0)) } }

/// The Internet checksum, written a second time on purpose: big-endian words, one by one.
func internetSum(_ bytes: some Collection<UInt8>) -> UInt16 {
    var sum: UInt32 = 0
    for (index, byte) in bytes.enumerated() { sum += index.isMultiple(of: 2) ? UInt32(byte) << 8 : UInt32(byte) }
    while sum > 0xffff { sum = (sum & 0xffff) + sum >> 16 }
    return UInt16(sum)
}

/// IPv4 and UDP with right checksums.
func udpFrame(payload: Int = 30, to destination: UInt64 = Bench.address) -> [UInt8] {
    var ip: [UInt8] = [0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
    let total = 28 + payload
    ip[2] = UInt8(total >> 8)
    ip[3] = UInt8(total & 0xff)
    let ipSum = ~internetSum(ip)
    ip[10] = UInt8(ipSum >> 8)
    ip[11] = UInt8(ipSum & 0xff)
    var udp: [UInt8] = [0x10, 0, 0x20, 0, UInt8((8 + payload) >> 8), UInt8((8 + payload) & 0xff), 0, 0]
    udp += (0..<payload).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let pseudo: [UInt8] = Array(ip[12..<20]) + [0, 17] + udp[4..<6]
    let udpSum = ~internetSum(pseudo + udp)
    udp[6] = UInt8(udpSum >> 8)
    udp[7] = UInt8(udpSum & 0xff)
    return addressBytes(destination) + addressBytes(Bench.peerAddress) + [0x08, 0x00] + ip + udp
}
