import DeviceAccess
import DeviceMemory
import LinuxIO
import NicDriver
import NicRegisters
import Testing

/// A port whose device comes back as new, the device's side written by the test.
struct E1000ERecoveryTests {
    private func port(_ device: ScriptedDevice) throws -> E1000EPort {
        var options = PortOptions()
        options.linkTimeoutMilliseconds = 10
        return try E1000EPort(device: device, options: options) { (byteCount) throws(PortError) in
            do { return try DMAMemory.ordinary(byteCount: byteCount) } catch { throw .noMemory(url: "soft:scripted", reason: "\(error)") }
        }
    }

    private func send(_ port: E1000EPort, _ count: Int) -> Int {
        var batch = port.makeBatch(capacity: count)
        for _ in 0..<count {
            guard var packet = port.makePacket() else { break }
            packet.byteCount = 60
            _ = batch.append(packet)
        }
        return port.send(&batch)
    }

    @Test func buffersComeBackAndWhatWasInTheRingsIsCounted() throws {
        let device = try ScriptedDevice()
        let port = try port(device)
        let free = port.pool.freeCount
        #expect(send(port, 5) == 5)
        for slot in 0..<3 { device.complete(slot, length: 64) }
        guard let held = port.makePacket() else {
            Issue.record("no packet")
            return
        }
        device.isGone = true
        device.comesBack = true
        #expect(throws: PortError.self) { try port.checkHealth() }

        try port.recover(timeoutMilliseconds: 100)
        try port.checkHealth()
        #expect(port.counters.framesLostInRecovery == 8 && port.counters.recoveries == 1)
        #expect(port.counters.sentFrames == 5 && port.statistics.shown?.counters.framesLostInRecovery == 8)
        #expect(port.pool.freeCount == free - 1)
        _ = consume held
        #expect(port.pool.freeCount == free)
    }

    @Test func ringsStartAnew() throws {
        let device = try ScriptedDevice()
        let port = try port(device)
        #expect(send(port, 5) == 5)
        for slot in 0..<3 { device.complete(slot, length: 64) }
        var batch = port.makeBatch(capacity: 32)
        #expect(port.receive(into: &batch) == 3)
        let rings = (device.receiveRing, device.transmitRing)
        device.isGone = true
        device.comesBack = true
        try port.recover(timeoutMilliseconds: 100)
        #expect(device.isBusMaster && (device.receiveRing, device.transmitRing) == rings)
        #expect(device.register(E1000E.rdt[0].offset) == 511 && device.register(E1000E.tdt[0].offset) == 0)
        #expect(device.register(E1000E.rctl.offset) & E1000E.ReceiveControl.enable.rawValue != 0)
        // The first slot is the next one again, both ways, and no slot is done.
        batch.removeAll()
        #expect(port.receive(into: &batch) == 0)
        device.complete(0, length: 70)
        #expect(port.receive(into: &batch) == 1 && port.counters.receivedFrames == 4)
        #expect(send(port, 1) == 1 && device.register(E1000E.tdt[0].offset) == 1)
    }

    @Test func filterAndAddressAreSetAgain() throws {
        let device = try ScriptedDevice()
        let port = try port(device)
        var filter = ReceiveFilter()
        filter.isPromiscuous = true
        filter.unicast = [MACAddress(bits: 0x02_00_00_00_00_77)]
        try port.setFilter(filter)
        let (low, high) = (device.register(E1000E.ral[0].offset), device.register(E1000E.ral[1].offset))
        device.isGone = true
        device.comesBack = true
        try port.recover(timeoutMilliseconds: 100)
        #expect(device.register(E1000E.ral[0].offset) == low && device.register(E1000E.ral[1].offset) == high)
        #expect(device.register(E1000E.rctl.offset) & E1000E.ReceiveControl.unicastPromiscuous.rawValue != 0)
    }

    @Test func aDeviceThatStaysAwayIsTriedAgain() throws {
        let device = try ScriptedDevice()
        let port = try port(device)
        #expect(!port.canRecover)
        device.isGone = true
        let failure = #expect(throws: PortError.self) { try port.recover(timeoutMilliseconds: 10) }
        #expect(failure?.tellsOfLostDevice == true)
        device.comesBack = true
        // It is lost again in the middle of being set up.
        device.stuck[E1000E.status.offset] = .max
        #expect(throws: PortError.self) { try port.recover(timeoutMilliseconds: 10) }
        device.stuck = [:]
        try port.recover(timeoutMilliseconds: 10)
        #expect(send(port, 1) == 1 && port.counters.recoveries == 1)
    }

    @Test func aPortThatWasStoppedStaysStopped() throws {
        let device = try ScriptedDevice()
        let port = try port(device)
        try port.stop()
        device.comesBack = true
        #expect(!port.canRecover)
        #expect(throws: PortError.self) { try port.recover(timeoutMilliseconds: 10) }
    }

    @Test func anApplicationIsToldAndOtherErrorsStayAsTheyAre() throws {
        let device = try ScriptedDevice()
        let port = try port(device)
        device.comesBack = true
        let lost = PortError.device(.gone(device: "soft:scripted", reason: "the test says so"))
        #expect(throws: PortError.self) { try Recovery.off.recover(port, from: lost, stop: StopFlag()) }
        let notices = Notices()
        let recovery = Recovery(milliseconds: 1000) { notices.add($0) }
        try recovery.recover(port, from: lost, stop: StopFlag())
        #expect(notices.texts.count == 2 && notices.texts[1].contains("is back"))
        #expect(throws: PortError.self) {
            try recovery.recover(port, from: .linkDown(url: "soft:scripted", milliseconds: 1), stop: StopFlag())
        }
    }
}
