import DeviceMemory
import NicDriver
import NicRegisters
import Testing

/// The descriptors that a virtual function's driver writes.
struct IgbvfTransmitTests {
    let device: ScriptedFunction
    let port: IgbvfPort

    init() throws {
        device = try ScriptedFunction()
        var options = PortOptions()
        options.receiveRingSize = 64
        options.transmitRingSize = 64
        options.sparePackets = 64
        port = try IgbvfPort.scripted(device, options)
    }

    private func send(_ byteCounts: [Int], _ flags: PacketFlags = []) -> Int {
        var batch = port.makeBatch(capacity: 128)
        for byteCount in byteCounts {
            guard var packet = port.makePacket() else { break }
            packet.byteCount = byteCount
            packet.window.store([UInt8](repeating: 0xee, count: 64), at: 0)
            if !flags.isEmpty { packet.requestChecksums(flags, linkHeaderByteCount: 14, networkHeaderByteCount: 20) }
            if batch.append(packet) != nil { Issue.record("the batch is full") }
        }
        return port.send(&batch)
    }

    private func data(_ slot: Int) -> Igbvf.TxDataDescriptor {
        Igbvf.TxDataDescriptor(word0: device.word(device.transmitRing, slot, 0), word1: device.word(device.transmitRing, slot, 1))
    }

    @Test func framesAreAdvancedDataDescriptorsAndEverySixteenthReports() {
        #expect(send([Int](repeating: 60, count: 33)) == 33)
        for slot in 0..<33 {
            let descriptor = data(slot)
            #expect(Igbvf.TxDescriptorKind(word1: descriptor.word1) == .data)
            #expect(descriptor.length == 60 && descriptor.payloadLength == 60)
            #expect(descriptor.command.isSuperset(of: [.endOfPacket, .insertFCS]))
            #expect(descriptor.command.contains(.reportStatus) == (slot % 16 == 15))
        }
        #expect(device.register(Igbvf.tdt[0].offset) == 33)
    }

    @Test func reportedGroupsComeBack() {
        let before = port.pool.freeCount
        _ = send([Int](repeating: 60, count: 32))
        #expect(port.pool.freeCount == before - 32)
        device.setWord(device.transmitRing, 15, 1, data(15).word1 | 1 << 32)
        port.reclaim()
        #expect(port.pool.freeCount == before - 16)
    }

    @Test(arguments: [1, 14, 16]) func framesTooShortForTheDeviceArePaddedWithZeros(byteCount: Int) {
        #expect(send([byteCount]) == 1)
        #expect(data(0).length == 60 && data(0).payloadLength == 60)
        let bytes = device.dma.translate(IOVA(data(0).bufferAddress), byteCount: 60, access: .read)?.bytes(at: 0, byteCount: 60)
        #expect(bytes == [UInt8](repeating: 0xee, count: byteCount) + [UInt8](repeating: 0, count: 60 - byteCount))
    }

    @Test func aFrameThatTheDevicePadsGoesAsItIs() {
        #expect(send([17]) == 1)
        #expect(data(0).length == 17)
    }

    @Test func emptyAndLongFramesAreDroppedAndCounted() {
        let before = port.pool.freeCount
        #expect(send([0, 1515, 60]) == 3)
        #expect(port.counters.sendLengthErrors == 2 && port.counters.sentFrames == 1)
        #expect(port.pool.freeCount == before - 1)
    }

    @Test func checksumsTakeAContextOnceAndOptionsInEachFrame() {
        #expect(send([60, 60], .insertTCPChecksum) == 2)
        let context = Igbvf.TxContextDescriptor(word0: data(0).word0, word1: data(0).word1)
        #expect(Igbvf.TxDescriptorKind(word1: context.word1) == .context)
        #expect(context.linkHeaderByteCount == 14 && context.networkHeaderByteCount == 20 && context.isTCP && context.isIPv4)
        #expect(data(1).options == .insertTCPUDPChecksum && data(2).options == .insertTCPUDPChecksum)
        #expect(data(1).length == 60 && data(2).payloadLength == 60)
        #expect(send([60], [.insertIPChecksum, .insertUDPChecksum]) == 1)
        #expect(!Igbvf.TxContextDescriptor(word0: data(3).word0, word1: data(3).word1).isTCP)
        #expect(data(4).options == [.insertIPChecksum, .insertTCPUDPChecksum])
    }

    @Test func aRingThatNothingTakesFillsAndStops() {
        #expect(send([Int](repeating: 60, count: 100)) == 63)
        #expect(send([60]) == 0)
    }
}
