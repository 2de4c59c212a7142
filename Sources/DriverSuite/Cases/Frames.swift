import LinuxIO
import NicDriver

let frameCases: [DriverCase] = [
    DriverCase("a broadcast frame of 60 bytes arrives whole") { rig in
        let pair = try rig.open()
        try pair.exchange([TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 60, seed: 1)])
        try pair.stop()
    },
    DriverCase("a unicast frame to the peer arrives whole") { rig in
        let pair = try rig.open()
        try pair.exchange([TestFrame(to: pair.right.macAddress, from: pair.left.macAddress, byteCount: 300, seed: 2)])
        try pair.stop()
    },
    DriverCase("frames go both ways at once") { rig in
        let pair = try rig.open()
        for round in UInt64(0)..<20 {
            let there = (0..<16).map {
                TestFrame(to: pair.right.macAddress, from: pair.left.macAddress, byteCount: 200, seed: round * 100 + $0)
            }
            let back = (0..<16).map {
                TestFrame(to: pair.left.macAddress, from: pair.right.macAddress, byteCount: 200, seed: round * 100 + 50 + $0)
            }
            try pair.send(there, from: pair.left)
            try pair.send(back, from: pair.right)
            try pair.expectArrival(of: there, on: pair.right)
            try pair.expectArrival(of: back, on: pair.left)
        }
        try pair.stop()
    },
    DriverCase("frames below 60 bytes are padded with zeros") { rig in
        let pair = try rig.open()
        try pair.exchange([14, 15, 42, 59].map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: $0, seed: UInt64($0)) })
        try pair.stop()
    },
    DriverCase("every size from 60 to 300 bytes arrives whole") { rig in
        let pair = try rig.open()
        try pair.exchange((60...300).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: $0, seed: UInt64($0)) })
        try pair.stop()
    },
    DriverCase("the largest ordinary frames, 1510 to 1514 bytes, arrive whole") { rig in
        let pair = try rig.open()
        try pair.exchange((1510...1514).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: $0, seed: UInt64($0)) })
        try pair.stop()
    },
    DriverCase("a frame longer than the port's maximum is refused and counted, the next one goes") { rig in
        let pair = try rig.open()
        let long = TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 1515, seed: 5)
        let good = TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 100, seed: 6)
        try pair.send([long, good], from: pair.left)
        try pair.expectArrival(of: [good], on: pair.right)
        try expect(pair.left.counters.sendLengthErrors == 1, "\(pair.left.counters.sendLengthErrors) length errors counted")
        try pair.stop()
    },
    DriverCase("an empty frame is refused and counted") { rig in
        let pair = try rig.open()
        var batch = pair.left.makeBatch(capacity: 1)
        if let packet = pair.left.makePacket() { _ = batch.append(packet) }
        let free = pair.left.pool.freeCount
        try expect(pair.left.send(&batch) == 1 && batch.isEmpty, "an empty frame stayed in the batch")
        try expect(pair.left.counters.sendLengthErrors == 1 && pair.left.counters.sentFrames == 0, "\(pair.left.counters)")
        try expect(pair.left.pool.freeCount == free + 1, "its buffer did not come back")
        try pair.stop()
    },
    DriverCase("2000 frames of random sizes arrive whole and in order") { rig in
        let pair = try rig.open()
        var random = SeededBytes(seed: 77)
        let frames = (0..<2000).map { index in
            TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 60 + Int(random.word() % 1455), seed: UInt64(index))
        }
        try pair.exchange(frames)
        try pair.stop()
    },
]

let jumboCases: [DriverCase] = [
    DriverCase("the longest frame arrives whole") { rig in
        let jumbo = try rig.jumbo()
        let pair = try rig.open(jumbo)
        try pair.exchange([
            TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: jumbo.maximumFrameByteCount, seed: 1)
        ])
        try pair.stop()
    },
    DriverCase("jumbo frames of every kind of size arrive whole") { rig in
        let jumbo = try rig.jumbo()
        let pair = try rig.open(jumbo)
        let longest = jumbo.maximumFrameByteCount
        let sizes = [60, 1514, 1515, 1518, 1519, 1522, 2047, 2048, 2049, 4096, 8191, 8192, 9000, longest - 1, longest]
        try pair.exchange(
            sizes.filter { $0 <= longest }.map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: $0, seed: UInt64($0)) })
        try pair.stop()
    },
    DriverCase("jumbo frames wrap both rings") { rig in
        let jumbo = try rig.jumbo()
        let pair = try rig.open(jumbo)
        // A wire holds fewer jumbo frames than a ring: some at a time.
        for round in UInt64(0)..<20 {
            try pair.exchange(
                (0..<16).map {
                    TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: jumbo.maximumFrameByteCount, seed: round * 16 + $0)
                })
        }
        try pair.stop()
    },
    DriverCase("a port without jumbo frames drops them, and receives what follows") { rig in
        let jumbo = try rig.jumbo()
        guard jumbo.maximumFrameByteCount > 1600 else { return try rig.open(jumbo).stop() }
        let right = try rig.openRight()
        let pair = Pair(left: try rig.openLeft(jumbo), right: right)
        let long = (0..<4).map {
            TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: jumbo.maximumFrameByteCount, seed: $0)
        }
        let good = TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 500, seed: 9)
        try pair.send(long + [good], from: pair.left)
        try pair.expectArrival(of: [good], on: pair.right)
        try pair.stop()
    },
]
