import DeviceMemory
import Devices
import LinuxIO
import NicDriver
import Testing

@testable import Traffic

@Suite struct TrafficFrameTests {
    private let one = MACAddress(bits: 0x02_00_00_00_00_01)
    private let other = MACAddress(bits: 0x02_00_00_00_00_02)

    @Test(arguments: [60, 61, 1514, 9014])
    func aFrameIsReadAsItWasWritten(byteCount: Int) throws {
        let memory = try DMAMemory.ordinary(byteCount: 9216)
        let frame = TrafficFrame(to: one, from: other, flow: 0x1234, byteCount: byteCount)
        frame.emit(into: memory.window, sequence: 0x0102_0304_0506_0708)
        let found = try #require(TrafficFrame.parse(memory.window, byteCount: byteCount))
        #expect(found.flow == 0x1234 && found.sequence == 0x0102_0304_0506_0708)
        let bytes = memory.window.bytes(at: 0, byteCount: byteCount)
        #expect(Array(bytes[0..<6]) == one.bytes && Array(bytes[6..<12]) == other.bytes)
        #expect(Int(bytes[16]) << 8 + Int(bytes[17]) == byteCount - 14, "IPv4 total length")
        #expect(Int(bytes[38]) << 8 + Int(bytes[39]) == byteCount - 34, "UDP length")
        var sum = stride(from: 14, to: 34, by: 2).reduce(0) { $0 + Int(bytes[$1]) << 8 + Int(bytes[$1 + 1]) }
        while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
        #expect(sum == 0xffff, "IPv4 header checksum")
    }

    @Test func whatIsShortOrForeignIsNobodys() throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        TrafficFrame(to: one, from: other, flow: 1, byteCount: 60).emit(into: memory.window, sequence: 0)
        for byteCount in [0, 14, 59] { #expect(TrafficFrame.parse(memory.window, byteCount: byteCount) == nil) }
        memory.window.store8(0, at: TrafficFrame.magicOffset)
        #expect(TrafficFrame.parse(memory.window, byteCount: 60) == nil)
    }
}

@Suite struct CrewTests {
    private func open(_ wires: [String], queues: Int = 1) throws -> [any Port] {
        var options = PortOptions()
        options.memory = .ordinaryPages
        let devices = try wires.map { try Devices.access("soft:\($0)-\(processIdentifier)") }
        return try devices.enumerated().map { index, device in
            options.queuePairCount = index == 0 ? 1 : queues
            return try Devices.openPort(on: device, options: options)
        }
    }

    private func generator(_ port: any Port, flows: [UInt16] = [1], limit: UInt64, rate: Double? = nil) -> Generator {
        Generator(
            port.queuePairs[0], to: .broadcast, from: port.macAddress, flows: flows, byteCount: 60, limit: limit, framesPerSecond: rate)
    }

    @Test func everyFrameThatIsGeneratedIsCounted() throws {
        let ports = try open(["crew-count", "crew-count"])
        let sender = generator(ports[0], flows: [1, 2, 3], limit: 10_000)
        let receiver = FrameCounter(ports[1].queuePairs[0], limit: 10_000, waitMilliseconds: nil)
        var crew = Crew(ports: ports, workers: [sender, receiver], usesThreads: false)
        crew.milliseconds = 20_000
        let report = crew.run(stop: StopFlag())
        #expect(report.failure == nil)
        #expect(report.workers[0].frames == 10_000 && report.workers[1].frames == 10_000)
        #expect(report.workers[1].bytes == 600_000)
        #expect(report.workers[1].missingFrames == 0 && report.workers[1].lateFrames == 0 && report.workers[1].foreignFrames == 0)
        #expect(report.framesPerSecond > 0 && report.bitsPerSecond > 0)
    }

    @Test func flowsAreSpreadOverTwoQueues() throws {
        let ports = try open(["crew-queues", "crew-queues"], queues: 2)
        let sender = generator(ports[0], flows: Array(0..<16), limit: 3200)
        let receivers = ports[1].queuePairs.map { FrameCounter($0, limit: .max, waitMilliseconds: nil) }
        var crew = Crew(ports: ports, workers: [sender] + receivers, usesThreads: false)
        crew.milliseconds = 20_000
        crew.idleMilliseconds = 300
        let report = crew.run(stop: StopFlag())
        let counted = report.workers[1] + report.workers[2]
        #expect(counted.frames == 3200 && counted.missingFrames == 0 && counted.lateFrames == 0)
        #expect(report.workers[1].frames > 0 && report.workers[2].frames > 0)
    }

    @Test func aForwarderCarriesBothWaysAndDropsWhatIsTooLong() throws {
        let ports = try open(["crew-left", "crew-left", "crew-right", "crew-right"])
        var everything = ReceiveFilter()
        everything.isPromiscuous = true
        for port in ports[1...2] { try port.setFilter(everything) }
        let there = generator(ports[0], limit: 500)
        let back = generator(ports[3], flows: [2], limit: 700)
        let forwarder = Forwarder(ports[1].queuePairs[0], ports[2].queuePairs[0], longestByteCount: 1514, limit: 1200)
        let left = FrameCounter(ports[0].queuePairs[0], limit: 700, waitMilliseconds: nil)
        let right = FrameCounter(ports[3].queuePairs[0], limit: 500, waitMilliseconds: nil)
        var crew = Crew(ports: ports, workers: [there, back, forwarder, left, right], usesThreads: false)
        crew.milliseconds = 20_000
        let report = crew.run(stop: StopFlag())
        #expect(report.workers[2].frames == 1200 && report.workers[2].droppedFrames == 0)
        #expect(report.workers[3].frames == 700 && report.workers[4].frames == 500)

        let narrow = Forwarder(ports[1].queuePairs[0], ports[2].queuePairs[0], longestByteCount: 59, limit: 10)
        let more = generator(ports[0], limit: 10)
        crew = Crew(ports: ports, workers: [more, narrow], usesThreads: false)
        crew.milliseconds = 300
        #expect(crew.run(stop: StopFlag()).workers[1].droppedFrames == 10)
    }

    @Test func aRateIsKept() throws {
        let ports = try open(["crew-rate", "crew-rate"])
        var crew = Crew(ports: ports, workers: [generator(ports[0], limit: .max, rate: 2000)], usesThreads: false)
        crew.milliseconds = 500
        let frames = crew.run(stop: StopFlag()).total.frames
        #expect((700...1400).contains(frames), "\(frames) frames in half a second at 2000 a second")
    }

    @Test func aStopEndsARunAtOnce() throws {
        let ports = try open(["crew-stop", "crew-stop"])
        let stop = StopFlag()
        stop.raise()
        #expect(Crew(ports: ports, workers: [generator(ports[0], limit: .max)], usesThreads: false).run(stop: stop).total.frames == 0)
    }
}

@Suite struct FrameCounterTests {
    /// Numbers of one flow as they arrive, and what is counted.
    @Test(
        arguments: [
            ([0, 1, 2], 0, 0), ([0, 2, 3], 1, 0), ([0, 2, 1, 3], 0, 1), ([0, 1, 1, 2], 0, 1), ([5, 6], 0, 0), ([5, 6, 0, 1], 0, 0),
            ([0, 100], 99, 0),
        ] as [([UInt64], UInt64, UInt64)])
    func lossAndOrderAreTold(numbers: [UInt64], missing: UInt64, late: UInt64) throws {
        var options = PortOptions()
        options.memory = .ordinaryPages
        let url = "soft:counter-\(processIdentifier)-\(numbers.map(String.init).joined(separator: "."))"
        let devices = [try Devices.access(url), try Devices.access(url)]
        let ports = try devices.map { try Devices.openPort(on: $0, options: options) }
        let counter = FrameCounter(ports[1].queuePairs[0], limit: .max, waitMilliseconds: nil)
        let frame = TrafficFrame(to: .broadcast, from: ports[0].macAddress, flow: 7, byteCount: 60)
        var batch = ports[0].makeBatch(capacity: 32)
        for number in numbers {
            guard var packet = ports[0].makePacket() else { continue }
            packet.byteCount = 60
            frame.emit(into: packet.window, sequence: number)
            _ = batch.append(packet)
        }
        #expect(ports[0].send(&batch) == numbers.count)
        #expect(try counter.step() == numbers.count)
        #expect(counter.tally.missingFrames == missing && counter.tally.lateFrames == late)
    }
}
