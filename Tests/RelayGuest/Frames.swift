import DeviceAccess
import DeviceMemory
import LinuxIO
import NicDriver

/// Ports, and frames between two of them.
enum Frames {
    static func makePort(_ device: RelayedDevice, _ wait: PortOptions.WaitMode) throws -> E1000EPort {
        var options = PortOptions()
        options.wait = wait
        options.sparePackets = 64
        return try E1000EPort(device: device, options: options) { byteCount throws(PortError) in
            do throws(SystemCallError) { return try DMAMemory.ordinary(byteCount: byteCount) } catch {
                throw .noMemory(url: device.url, reason: error.description)
            }
        }
    }

    static func frame(to destination: MACAddress, from source: MACAddress, number: UInt64) -> [UInt8] {
        var bytes = destination.bytes + source.bytes + [0x88, 0xb5]
        var state = number &* 0x9e37_79b9_7f4a_7c15 | 1
        for _ in 0..<(46 + Int(number % 1400)) {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            bytes.append(UInt8(truncatingIfNeeded: state &* 0x2545_f491_4f6c_dd1d >> 56))
        }
        return bytes
    }

    /// A frame goes there, and another one comes back, each compared.
    static func exchange(_ ports: [E1000EPort], rounds: Int, _ wait: PortOptions.WaitMode) throws {
        for round in 0..<UInt64(rounds) {
            for (from, to) in [(ports[0], ports[1]), (ports[1], ports[0])] {
                let frame = frame(to: to.macAddress, from: from.macAddress, number: round)
                try send(frame, from: from)
                if wait.usesInterrupts { try to.queuePairs[0].waitForReceive(timeoutMilliseconds: 3000) }
                guard let got = receive(on: to, milliseconds: 3000) else { throw Failure("frame \(round) was lost") }
                try require(got == frame, "frame \(round) of \(frame.count) bytes changed")
            }
        }
    }

    static func send(_ frame: [UInt8], from port: E1000EPort) throws {
        var batch = port.makeBatch(capacity: 1)
        let deadline = Deadline(afterMilliseconds: 3000)
        while batch.isEmpty {
            guard var packet = port.makePacket() else {
                port.reclaim()
                try require(!deadline.hasPassed, "no packet is free")
                continue
            }
            packet.byteCount = frame.count
            packet.window.store(frame, at: 0)
            _ = batch.append(packet)
        }
        while !batch.isEmpty, port.send(&batch) == 0 {
            port.reclaim()
            try require(!deadline.hasPassed, "a frame was not sent")
        }
    }

    static func receive(on port: E1000EPort, milliseconds: UInt64) -> [UInt8]? {
        var batch = port.makeBatch(capacity: 1)
        let deadline = Deadline(afterMilliseconds: milliseconds)
        while !deadline.hasPassed {
            _ = port.receive(into: &batch)
            while let packet = batch.removeFirst() {
                let bytes = packet.window.bytes(at: 0, byteCount: packet.byteCount)
                if bytes.count >= 60, bytes[12] == 0x88, bytes[13] == 0xb5 { return bytes }
            }
            Processor.yield()
        }
        return nil
    }
}
