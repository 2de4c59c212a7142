import DeviceMemory
import NicDriver
import NicRegisters
import Testing

/// A scripted function and the port on it.
struct VirtioNetBench {
    let device: ScriptedVirtioNet
    var options = PortOptions()

    init(isPacked: Bool) throws {
        device = try ScriptedVirtioNet(isPacked: isPacked)
        options.receiveRingSize = 64
        options.transmitRingSize = 64
        options.sparePackets = 64
        options.linkTimeoutMilliseconds = 30
    }

    func open() throws -> VirtioNetPort {
        try VirtioNetPort(device: device, options: options) { (byteCount) throws(PortError) in
            do { return try DMAMemory.ordinary(byteCount: byteCount) } catch { throw .noMemory(url: "soft:scripted", reason: "\(error)") }
        }
    }

    var receiveQueue: ScriptedQueue { device.queues[0] }
    var transmitQueue: ScriptedQueue { device.queues[1] }

    /// A batch of so many frames of a length.
    func frames(_ count: Int, byteCount: Int = 60, of port: VirtioNetPort) throws -> PacketBatch {
        var batch = port.makeBatch(capacity: count)
        for _ in 0..<count {
            var packet = try port.packet()
            packet.byteCount = byteCount
            if batch.append(packet) != nil { Issue.record("the batch is full") }
        }
        return batch
    }

    /// The port refuses a device for a reason.
    func expectRefusal(_ part: String) {
        #expect { _ = try open() } throws: { "\($0)".contains(part) }
        #expect(device.dma.count == 0, "memory stays mapped")
    }
}

/// What ``#require`` is for values that cannot be copied.
struct NoPacket: Error {}

extension PacketBatch {
    mutating func first() throws -> Packet {
        guard let packet = removeFirst() else { throw NoPacket() }
        return packet
    }
}

extension Port {
    func packet() throws -> Packet {
        guard let packet = makePacket() else { throw NoPacket() }
        return packet
    }

    /// Lengths of what is received now.
    func receivedLengths(room: Int = 64) -> [Int] {
        var batch = makeBatch(capacity: room)
        _ = receive(into: &batch)
        var lengths: [Int] = []
        while let packet = batch.removeFirst() { lengths.append(packet.byteCount) }
        return lengths
    }
}
