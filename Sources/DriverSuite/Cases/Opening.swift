import LinuxIO
import NicDriver

let openingCases: [DriverCase] = [
    DriverCase("a port opens and tells its family and address") { rig in
        let pair = try rig.open()
        try expect(["e1000e", "igbvf", "virtio-net"].contains(pair.left.family), "family \(pair.left.family)")
        try expect(pair.left.macAddress.bits != 0 && !pair.left.macAddress.isMulticast, "address \(pair.left.macAddress)")
        try pair.stop()
    },
    DriverCase("two ports have different addresses") { rig in
        let pair = try rig.open()
        try expect(pair.left.macAddress != pair.right.macAddress, "both are \(pair.left.macAddress)")
        try pair.stop()
    },
    DriverCase("the link is up after opening") { rig in
        let pair = try rig.open()
        try expect(pair.left.linkIsUp && pair.right.linkIsUp, "left \(pair.left.linkIsUp), right \(pair.right.linkIsUp)")
        try pair.left.checkHealth()
        try pair.stop()
    },
    DriverCase("counters start at zero") { rig in
        let pair = try rig.open()
        try expect(pair.left.counters == QueueCounters(), "\(pair.left.counters)")
        try expect(try pair.left.readDeviceCounters()?.sentFrames ?? 0 == 0, "the device counts sent frames before any")
        try pair.stop()
    },
    DriverCase("a ring size that is no power of two is refused") { rig in
        for size in [0, 63, 100, 8192] {
            do {
                _ = try rig.openLeft(.suite.with { $0.receiveRingSize = size })
            } catch { continue }
            throw CaseFailure(description: "a receive ring of \(size) was taken")
        }
    },
    DriverCase("a maximum frame beyond the NIC's is refused") { rig in
        let longest = try rig.capabilities().longestFrameByteCount
        for size in [59, longest + 1, 65536] {
            do {
                _ = try rig.openLeft(.suite.with { $0.maximumFrameByteCount = size })
            } catch { continue }
            throw CaseFailure(description: "a maximum frame of \(size) was taken")
        }
    },
    DriverCase("the smallest rings carry traffic") { rig in
        let pair = try rig.open(
            .suite.with {
                $0.receiveRingSize = 64; $0.transmitRingSize = 64
            })
        try pair.exchange((0..<64).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 60, seed: $0) })
        try pair.stop()
    },
    DriverCase("the largest rings carry traffic") { rig in
        let pair = try rig.open(
            .suite.with {
                $0.receiveRingSize = 4096; $0.transmitRingSize = 4096
            })
        try pair.exchange((0..<64).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 60, seed: $0) })
        try pair.stop()
    },
    DriverCase("a port opens again after it was stopped") { rig in
        for round in 0..<5 {
            let pair = try rig.open()
            try pair.exchange([TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 100, seed: UInt64(round))])
            try pair.stop()
        }
    },
    DriverCase("a port that was dropped without a stop can be opened again") { rig in
        for round in 0..<3 {
            let pair = try rig.open()
            try pair.send([TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 100, seed: UInt64(round))], from: pair.left)
        }
        let pair = try rig.open()
        try pair.exchange([TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 100, seed: 9)])
        try pair.stop()
    },
]
