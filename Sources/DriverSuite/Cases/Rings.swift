import DeviceMemory
import LinuxIO
import NicDriver

let ringCases: [DriverCase] = [
    DriverCase("rings wrapped five times lose nothing") { rig in
        let pair = try rig.open(
            .suite.with {
                $0.receiveRingSize = 64; $0.transmitRingSize = 64
            })
        try pair.exchange((0..<330).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 64, seed: $0) })
        try pair.stop()
    },
    DriverCase("a full transmit ring takes no more, and what is left stays in the batch") { rig in
        let pair = try rig.open(
            .suite.with {
                $0.transmitRingSize = 64; $0.sparePackets = 512
            })
        var batch = pair.left.makeBatch(capacity: 200)
        let frames = (0..<200).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 60, seed: $0) }
        for frame in frames {
            guard var packet = pair.left.makePacket() else { throw CaseFailure(description: "the pool is empty") }
            packet.byteCount = frame.bytes.count
            packet.window.store(frame.bytes, at: 0)
            _ = batch.append(packet)
        }
        let taken = pair.left.send(&batch)
        try expect((1...64).contains(taken), "\(taken) frames went into a ring of 64")
        try expect(batch.count == 200 - taken, "\(batch.count) left of 200 after \(taken)")
        try pair.expectArrival(of: Array(frames[..<taken]), on: pair.right)
        batch.removeAll()
        try pair.stop()
    },
    DriverCase("a batch with room for one takes one") { rig in
        let pair = try rig.open()
        let frames = (0..<3).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 60, seed: $0) }
        try pair.send(frames, from: pair.left)
        let deadline = Deadline(afterMilliseconds: 3000)
        var got = 0
        var batch = pair.right.makeBatch(capacity: 1)
        while got < 3, !deadline.hasPassed {
            let count = pair.right.receive(into: &batch)
            try expect(count <= 1 && batch.count <= 1, "\(count) packets in a batch of one")
            if let packet = batch.removeFirst(), TestFrame.isOurs(packet.window.bytes(at: 0, byteCount: packet.byteCount)) { got += 1 }
            pair.left.reclaim()
        }
        try expect(got == 3, "\(got) of 3 arrived")
        try pair.stop()
    },
    DriverCase("a batch without room takes nothing") { rig in
        let pair = try rig.open()
        var batch = pair.right.makeBatch(capacity: 1)
        if let packet = pair.right.makePacket() { _ = batch.append(packet) }
        try pair.send([TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 60, seed: 1)], from: pair.left)
        try expect(pair.right.receive(into: &batch) == 0, "a full batch took a packet")
        batch.removeAll()
        try expect(pair.receive(1, on: pair.right).count == 1, "the frame was lost")
        try pair.stop()
    },
    DriverCase("an empty pool gives no packet, and gives one again after a drop") { rig in
        let pair = try rig.open()
        var held = pair.left.makeBatch(capacity: pair.left.pool.capacity)
        while let packet = pair.left.makePacket() { _ = held.append(packet) }
        try expect(held.count > 0 && pair.left.pool.freeCount == 0, "\(pair.left.pool.freeCount) free")
        _ = held.removeFirst()
        try expect(pair.left.makePacket() != nil, "no packet after one was dropped")
        held.removeAll()
        try pair.stop()
    },
    DriverCase("a receiver without buffers keeps frames waiting and counts it") { rig in
        let pair = try rig.open()
        var held = pair.right.makeBatch(capacity: pair.right.pool.capacity)
        while let packet = pair.right.makePacket() { _ = held.append(packet) }
        let frames = (0..<8).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 90, seed: $0) }
        try pair.send(frames, from: pair.left)
        try expect(pair.receive(1, on: pair.right, milliseconds: 100).isEmpty, "a frame was handed out without a buffer to refill")
        try expect(pair.right.counters.refillStarved > 0, "starvation was not counted")
        held.removeAll()
        try pair.expectArrival(of: frames, on: pair.right)
        try pair.stop()
    },
    // Order is no part of it: QEMU's queue in front of a NIC lets a new frame pass those that wait for a buffer
    // (net/queue.c qemu_net_queue_send).
    DriverCase("a receiver that does not look loses frames or holds the sender up, but changes and repeats none") { rig in
        let pair = try rig.open()
        let count = 400
        let frames = (0..<count).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 120, seed: UInt64($0)) }
        let sent = pair.sendWhatFits(frames, from: pair.left)
        let got = pair.receive(count, on: pair.right, milliseconds: 300)
        try expect(got.count >= 100, "only \(got.count) of \(sent) arrived")
        var missing = Set(frames.map(\.bytes))
        for (place, one) in got.enumerated() where missing.remove(one.bytes) == nil {
            throw CaseFailure(description: "frame \(place) arrived changed or twice")
        }
        try pair.exchange([TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 60, seed: 1000)])
        try pair.stop()
    },
    DriverCase("traffic gives every buffer back") { rig in
        let pair = try rig.open()
        let before = pair.right.pool.freeCount
        try pair.exchange((0..<500).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 100, seed: $0) })
        try expect(pair.right.pool.freeCount == before, "\(before) free before, \(pair.right.pool.freeCount) after")
        pair.left.reclaim()
        try expect(pair.left.pool.freeCount >= before - 15, "\(pair.left.pool.freeCount) of \(before) came back to the sender")
        try pair.stop()
        try expect(pair.left.pool.freeCount == pair.left.pool.capacity, "buffers are missing after the stop")
    },
]
