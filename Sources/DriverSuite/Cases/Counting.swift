import LinuxIO
import NicDriver

let countingCases: [DriverCase] = [
    DriverCase("the port and the device count the same frames") { rig in
        let pair = try rig.open()
        guard try pair.devicesCount() else { return try pair.stop() }
        try pair.exchange((0..<1000).map { TestFrame(to: pair.right.macAddress, from: pair.left.macAddress, byteCount: 100, seed: $0) })
        let left = try pair.left.deviceCounters()
        let right = try pair.right.deviceCounters()
        try expect(pair.left.counters.sentFrames == 1000, "the port counted \(pair.left.counters.sentFrames) sent")
        try expect(left.sentFrames == 1000, "the device counted \(left.sentFrames) sent")
        try expect(
            pair.right.counters.receivedFrames == right.receivedFrames,
            "\(pair.right.counters.receivedFrames) received, the device says \(right.receivedFrames)")
        try expect(right.receivedFrames >= 1000, "the device counted \(right.receivedFrames) received")
        try pair.stop()
    },
    DriverCase("device counters add up over several reads") { rig in
        let pair = try rig.open()
        guard try pair.devicesCount() else { return try pair.stop() }
        for round in UInt64(1)...3 {
            try pair.exchange(
                (0..<10).map { TestFrame(to: pair.right.macAddress, from: pair.left.macAddress, byteCount: 100, seed: round * 100 + $0) })
            let sent = try pair.left.deviceCounters().sentFrames
            try expect(sent == round * 10, "\(sent) after \(round * 10)")
        }
        try pair.stop()
    },
    DriverCase("bytes are counted, by the device with the FCS") { rig in
        let pair = try rig.open()
        try pair.exchange((0..<50).map { TestFrame(to: pair.right.macAddress, from: pair.left.macAddress, byteCount: 1000, seed: $0) })
        try expect(pair.left.counters.sentBytes == 50_000, "\(pair.left.counters.sentBytes) bytes sent")
        if try pair.devicesCount() {
            let device = try pair.left.deviceCounters()
            try expect((50_000...50_200).contains(device.sentBytes), "the device counted \(device.sentBytes) bytes")
        }
        try pair.stop()
    },
]

let waitingCases: [DriverCase] = [
    DriverCase("polling: a wait ends with a frame") { rig in try waitEndsWithFrame(rig, .suite) },
    DriverCase("polling: a wait without a frame ends in time") { rig in try waitEndsInTime(rig, .suite) },
    DriverCase("interrupts: a wait ends with a frame") { rig in try waitEndsWithFrame(rig, .interrupts) },
    DriverCase("interrupts: a wait without a frame ends in time") { rig in try waitEndsInTime(rig, .interrupts) },
    DriverCase("interrupts: a frame that came before the wait ends it at once") { rig in
        let pair = try rig.open(.interrupts)
        try pair.send([TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 60, seed: 1)], from: pair.left)
        pair.left.reclaim()
        sleepMicroseconds(5000)
        let start = MonotonicClock.nanoseconds()
        try pair.right.waitForReceive(timeoutMilliseconds: 2000)
        let took = (MonotonicClock.nanoseconds() - start) / 1_000_000
        try expect(pair.receive(1, on: pair.right, milliseconds: 500).count == 1, "the frame is not there")
        try expect(took < 1000, "the wait took \(took) ms")
        try pair.stop()
    },
    DriverCase("interrupts: 200 frames, one at a time, each ends a wait") { rig in
        let pair = try rig.open(.interrupts)
        for seed in UInt64(0)..<200 {
            let frame = TestFrame(to: pair.right.macAddress, from: pair.left.macAddress, byteCount: 64, seed: seed)
            try pair.send([frame], from: pair.left)
            let start = MonotonicClock.nanoseconds()
            try pair.right.waitForReceive(timeoutMilliseconds: 3000)
            let took = (MonotonicClock.nanoseconds() - start) / 1_000_000
            try expect(took < 2000, "wait \(seed) took \(took) ms: a lost wake-up")
            try pair.expectArrival(of: [frame], on: pair.right)
        }
        try pair.stop()
    },
    DriverCase("adaptive: a wait ends with a frame, early or late") { rig in
        for spin in [0, 50, 20_000] {
            try waitEndsWithFrame(rig, .suite.with { $0.wait = .adaptive(spinMicroseconds: spin) })
        }
    },
    DriverCase("adaptive: a wait without a frame ends in time") { rig in
        try waitEndsInTime(rig, .suite.with { $0.wait = .adaptive(spinMicroseconds: 10_000) })
    },
    DriverCase("interrupts: throttled ones still arrive") { rig in
        let pair = try rig.open(.interrupts.with { $0.interruptIntervalMicroseconds = 1000 })
        for seed in UInt64(0)..<20 {
            let frame = TestFrame(to: pair.right.macAddress, from: pair.left.macAddress, byteCount: 64, seed: seed)
            try pair.send([frame], from: pair.left)
            try pair.right.waitForReceive(timeoutMilliseconds: 1000)
            try pair.expectArrival(of: [frame], on: pair.right)
        }
        try pair.stop()
    },
]

extension PortOptions {
    static var interrupts: PortOptions { .suite.with { $0.wait = .interrupt } }
}

private func waitEndsWithFrame(_ rig: Rig, _ options: PortOptions) throws {
    let pair = try rig.open(options)
    try pair.send([TestFrame(to: .broadcast, from: pair.left.macAddress, byteCount: 60, seed: 1)], from: pair.left)
    let start = MonotonicClock.nanoseconds()
    try pair.right.waitForReceive(timeoutMilliseconds: 2000)
    let took = (MonotonicClock.nanoseconds() - start) / 1_000_000
    try expect(took < 1500, "the wait took \(took) ms")
    try expect(pair.receive(1, on: pair.right, milliseconds: 500).count == 1, "the frame is not there")
    try pair.stop()
}

private func waitEndsInTime(_ rig: Rig, _ options: PortOptions) throws {
    let pair = try rig.open(options)
    let start = MonotonicClock.nanoseconds()
    try pair.right.waitForReceive(timeoutMilliseconds: 100)
    let took = (MonotonicClock.nanoseconds() - start) / 1_000_000
    try expect(took <= 2000, "a wait of 100 ms took \(took) ms")
    try pair.stop()
}

extension Pair {
    /// Whether both devices tell what they count.
    fileprivate func devicesCount() throws -> Bool { try left.readDeviceCounters() != nil && right.readDeviceCounters() != nil }
}

extension Port {
    fileprivate func deviceCounters() throws -> DeviceCounters {
        guard let counters = try readDeviceCounters() else { throw CaseFailure(description: "\(url) stopped telling what it counts") }
        return counters
    }
}
