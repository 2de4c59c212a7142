import DeviceMemory
import LinuxIO
import NicDriver

/// Two open ports on one wire, and how cases move frames between them. Every wait is bounded.
final class Pair {
    let left: any Port
    let right: any Port

    init(left: any Port, right: any Port) {
        self.left = left
        self.right = right
    }

    func stop() throws {
        try left.stop()
        try right.stop()
    }

    /// Sends all frames from a port, in batches, waiting for room.
    func send(_ frames: [TestFrame], from port: any Port, offload: Offload? = nil) throws {
        let deadline = Deadline(afterMilliseconds: 5000)
        var batch = port.makeBatch(capacity: 32)
        var next = 0
        while next < frames.count || !batch.isEmpty {
            while next < frames.count, batch.room > 0, var packet = port.makePacket() {
                packet.byteCount = frames[next].bytes.count
                packet.window.store(frames[next].bytes, at: 0)
                if let offload {
                    packet.requestChecksums(
                        offload.flags, linkHeaderByteCount: 14, networkHeaderByteCount: offload.networkHeaderByteCount)
                }
                if batch.append(packet) != nil { throw CaseFailure(description: "a batch with room refused a packet") }
                next += 1
            }
            _ = port.send(&batch)
            try expect(!deadline.hasPassed, "sent \(next - batch.count) of \(frames.count) frames in 5 s")
        }
    }

    /// Sends from the front until nothing more goes for 100 ms. Returns how many went.
    func sendWhatFits(_ frames: [TestFrame], from port: any Port) -> Int {
        var batch = port.makeBatch(capacity: 1)
        for (index, frame) in frames.enumerated() {
            let deadline = Deadline(afterMilliseconds: 100)
            while batch.isEmpty, !deadline.hasPassed {
                guard var packet = port.makePacket() else {
                    port.reclaim()
                    continue
                }
                packet.byteCount = frame.bytes.count
                packet.window.store(frame.bytes, at: 0)
                _ = batch.append(packet)
            }
            while !batch.isEmpty, port.send(&batch) == 0, !deadline.hasPassed { port.reclaim() }
            if deadline.hasPassed, !batch.isEmpty || port.pool.freeCount == 0 { return index }
        }
        return frames.count
    }

    struct Offload {
        let flags: PacketFlags
        let networkHeaderByteCount: Int
    }

    struct Received {
        let bytes: [UInt8]
        let flags: PacketFlags
    }

    /// Receives until there are `count` test frames or the time is over; frames of others are passed over.
    func receive(_ count: Int, on port: any Port, milliseconds: UInt64 = 3000) -> [Received] {
        var frames: [Received] = []
        let deadline = Deadline(afterMilliseconds: milliseconds)
        var batch = port.makeBatch(capacity: 32)
        while frames.count < count, !deadline.hasPassed {
            if port.receive(into: &batch) == 0 {
                // The sender's model may live in its own port: let it go on.
                (port === left ? right : left).reclaim()
                Processor.yield()
            }
            while let packet = batch.removeFirst() {
                let bytes = packet.window.bytes(at: 0, byteCount: packet.byteCount)
                if TestFrame.isOurs(bytes) { frames.append(Received(bytes: bytes, flags: packet.flags)) }
            }
        }
        return frames
    }

    /// Sends from left to right, and sees every frame arrive whole and in order.
    func exchange(_ frames: [TestFrame]) throws {
        var start = 0
        while start < frames.count {
            let part = Array(frames[start..<min(start + 32, frames.count)])
            try send(part, from: left)
            try expectArrival(of: part, on: right)
            start += part.count
        }
    }

    func expectArrival(of frames: [TestFrame], on port: any Port) throws {
        let got = receive(frames.count, on: port)
        try expect(got.count == frames.count, "\(got.count) of \(frames.count) frames arrived")
        for (index, (one, frame)) in zip(got, frames).enumerated() {
            try expect(
                one.bytes == frame.padded, "frame \(index) of \(frame.bytes.count) bytes arrived as \(one.bytes.count) bytes, or changed")
        }
    }

    /// Sees that nothing of ours arrives for a while.
    func expectSilence(on port: any Port, milliseconds: UInt64 = 60) throws {
        let got = receive(1, on: port, milliseconds: milliseconds)
        try expect(got.isEmpty, "a frame arrived that the filter should have dropped")
    }
}
