import LinuxIO
import NicDriver

let stoppingCases: [DriverCase] = [
    DriverCase("a second stop does nothing") { rig in
        let pair = try rig.open()
        try pair.stop()
        try pair.stop()
    },
    DriverCase("a stop gives every buffer back") { rig in
        let pair = try rig.open()
        try pair.stop()
        for port in [pair.left, pair.right] {
            try expect(port.pool.freeCount == port.pool.capacity, "\(port.pool.freeCount) of \(port.pool.capacity) buffers")
        }
    },
    DriverCase("a stop with frames in flight gives every buffer back, and the frames went out") { rig in
        let pair = try rig.open()
        try pair.send((0..<60).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 1514, seed: $0) }, from: pair.left)
        try pair.left.stop()
        try expect(pair.left.pool.freeCount == pair.left.pool.capacity, "buffers are missing")
        let got = pair.receive(60, on: pair.right, milliseconds: 500)
        try expect(got.count == 60, "\(got.count) of 60 frames went out")
        try pair.right.stop()
    },
    DriverCase("a stop with frames unread gives every buffer back") { rig in
        let pair = try rig.open()
        try pair.send((0..<60).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 200, seed: $0) }, from: pair.left)
        try pair.right.stop()
        try expect(pair.right.pool.freeCount == pair.right.pool.capacity, "buffers are missing")
        try pair.left.stop()
    },
    DriverCase("after a stop with traffic the port opens again and receives nothing stale") { rig in
        // Ports give their devices back when the last reference goes.
        func leaveTraffic() throws {
            let pair = try rig.open()
            try pair.send((0..<30).map { TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 200, seed: $0) }, from: pair.left)
            try pair.stop()
        }
        try leaveTraffic()
        let again = try rig.open()
        try again.exchange([TestFrame(to: .broadcast, from: again.left.macAddress, byteCount: 99, seed: 999)])
        try again.stop()
    },
]
