import DeviceMemory
import Devices
import Glibc
import LinuxIO
import MPIBridge
import NicDriver
import Testing

@testable import VerbsProvider

/// Frames of a peer that keeps to no rule, on a wire with an adapter.
@Suite struct HostileFrameTests {
    private let adapter: VerbsObject<Adapter>
    private let attacker: any Port
    private let source = PortName(life: 99, ipv4: 0x0a00_0063, mac: MACAddress(bits: 0x02_00_00_00_00_63))

    init() throws {
        let wire = "verbs-hostile-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        var options = PortOptions.verbs(for: "soft:\(wire)", mtu: nil)
        options.publishesStatistics = false
        let port = try Devices.open("soft:\(wire)", options: options)
        adapter = VerbsObject(Adapter(url: port.url, port: port, scratch: try DMAMemory.ordinary(byteCount: 4096)))
        attacker = try Devices.open("soft:\(wire)", options: options)
    }

    private func send(payload: Int = 4, _ change: (MemoryWindow) -> Void = { _ in }, seal: Bool = true) throws {
        guard var packet = attacker.makePacket() else {
            Issue.record("no packet is left")
            return
        }
        let window = packet.window
        let byteCount = DatagramLayout.payload + payload
        let template = FrameTemplate(
            from: source.endpoint(udpPort: VerbsUDPPort.datagrams), to: adapter.state.name.endpoint(udpPort: VerbsUDPPort.datagrams),
            nextHop: adapter.state.name.mac)
        template.store(into: window)
        var frame = DatagramFrame(kind: .datagram, flags: [], sourceKey: source.key, number: 0, report: 0)
        frame.destinationQueuePair = 0x5555
        frame.emit(into: window, destinationKey: adapter.state.name.key)
        change(window)
        if seal { template.seal(window, byteCount: byteCount) }
        packet.byteCount = byteCount
        var batch = attacker.makeBatch(capacity: 1)
        _ = batch.append(packet)
        #expect(attacker.send(&batch) == 1)
        let deadline = Deadline(afterMilliseconds: 5000)
        let frames = adapter.state.port.counters.receivedFrames
        while adapter.state.port.counters.receivedFrames == frames, !deadline.hasPassed {
            adapter.locked { adapter.progress(now: MonotonicClock.nanoseconds()) }
        }
    }

    @Test func aDatagramForNobodyIsRefused() throws {
        try send()
        #expect(adapter.state.counters.datagramsRefused == 1 && adapter.state.counters.malformedFrames == 0)
    }

    @Test func everyByteThatCannotBeIsCountedAndNothingElseHappens() throws {
        try send { $0.store8(9, at: DatagramLayout.version) }
        try send { $0.store8(9, at: DatagramLayout.kind) }
        try send { $0.store32(.max, at: DatagramLayout.sourceQueuePair) }
        try send({ $0.store16(0xffff, at: 38) }, seal: false)
        try send({ $0.store16(0, at: 38) }, seal: false)
        #expect(adapter.state.counters.malformedFrames == 5)
        try send { $0.store64(1, at: DatagramLayout.destinationKey) }
        // A key that names no port cannot be answered.
        try send { $0.store64(1, at: DatagramLayout.sourceKey) }
        #expect(adapter.state.counters.foreignFrames == 2 && adapter.state.counters.datagramsRefused == 0)
    }

    @Test func framesOfRandomBytesAreSurvived() throws {
        var generator = SystemRandomNumberGenerator()
        for round in 0..<300 {
            try send(payload: Int.random(in: 0...200)) { window in
                for _ in 0..<8 {
                    let offset = round % 2 == 0 ? Int.random(in: 12..<DatagramLayout.payload) : Int.random(in: 42..<DatagramLayout.payload)
                    window.store8(.random(in: 0...255, using: &generator), at: offset)
                }
            }
        }
        try send()
        #expect(adapter.state.counters.datagramsRefused > 0)
    }
}
