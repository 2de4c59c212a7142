import DeviceAccess
import DeviceMemory
import NicDriver
import NicRegisters
import Testing

/// What a driver does with a device that lies.
struct HostileDeviceTests {
    let device: ScriptedDevice
    var options = PortOptions()

    init() throws {
        device = try ScriptedDevice()
        options.receiveRingSize = 64
        options.transmitRingSize = 64
        options.sparePackets = 64
        options.linkTimeoutMilliseconds = 30
    }

    func open() throws -> E1000EPort {
        try E1000EPort(device: device, options: options) { (byteCount) throws(PortError) in
            do { return try DMAMemory.ordinary(byteCount: byteCount) } catch { throw .noMemory(url: "soft:scripted", reason: "\(error)") }
        }
    }

    @Test func aLengthBeyondTheBufferIsACountedDrop() throws {
        let port = try open()
        var batch = port.makeBatch(capacity: 8)
        device.complete(0, length: 0xffff)
        device.complete(1, length: 2049)
        device.complete(2, length: 1515)
        device.complete(3, length: 100)
        #expect(port.receive(into: &batch) == 1)
        #expect(port.counters.receiveLengthErrors == 3)
        #expect(batch.removeFirst()?.byteCount == 100)
    }

    @Test func anEmptyFrameIsACountedDrop() throws {
        let port = try open()
        var batch = port.makeBatch(capacity: 8)
        device.complete(0, length: 0)
        #expect(port.receive(into: &batch) == 0)
        #expect(port.counters.receiveLengthErrors == 1)
    }

    @Test func aDescriptorMarkedDoneTwiceNeverGivesABufferTwice() throws {
        let port = try open()
        var batch = port.makeBatch(capacity: 128)
        var seen = Set<UInt32>()
        for round in 0..<4 {
            for slot in 0..<64 { device.complete(slot, length: UInt16(60 + round)) }
            _ = port.receive(into: &batch)
        }
        while let packet = batch.removeFirst() {
            let handle = packet.release()
            #expect(seen.insert(handle.index).inserted, "buffer \(handle.index) was handed out twice")
            port.pool.give(handle.index)
        }
        #expect(!seen.isEmpty)
        try port.stop()
        #expect(port.pool.freeCount == port.pool.capacity)
    }

    @Test func aDeviceThatCompletesForEverEndsACall() throws {
        let port = try open()
        var batch = port.makeBatch(capacity: 8)
        for slot in 0..<64 { device.complete(slot, length: 0) }
        #expect(port.receive(into: &batch) == 0)
        #expect(port.counters.receiveLengthErrors == 64)
    }

    @Test func aFrameOverSeveralBuffersIsDroppedWholeAndCountedOnce() throws {
        let port = try open()
        var batch = port.makeBatch(capacity: 8)
        device.complete(0, status: .done, length: 1000)
        device.complete(1, status: .done, length: 1000)
        device.complete(2, length: 10)
        device.complete(3, length: 77)
        #expect(port.receive(into: &batch) == 1)
        #expect(port.counters.receiveLengthErrors == 1)
        #expect(batch.removeFirst()?.byteCount == 77)
    }

    @Test func aDamagedFrameIsCountedAndItsBufferIsUsedAgain() throws {
        let port = try open()
        var batch = port.makeBatch(capacity: 8)
        let before = port.pool.freeCount
        device.complete(0, status: [.done, .endOfPacket, .crcError], length: 100)
        #expect(port.receive(into: &batch) == 0)
        #expect(port.counters.receiveErrors == 1)
        #expect(port.pool.freeCount == before)
        #expect(device.word(device.receiveRing, 0, 1) == 0)
    }

    @Test func aTransmitRingThatNothingTakesFillsAndStops() throws {
        let port = try open()
        var batch = port.makeBatch(capacity: 128)
        for _ in 0..<100 {
            guard var packet = port.makePacket() else { break }
            packet.byteCount = 60
            if batch.append(packet) != nil { Issue.record("the batch is full") }
        }
        #expect(port.send(&batch) == 63)
        #expect(port.send(&batch) == 0)
        #expect(batch.count == 37)
    }

    @Test func descriptorsThatWereNeverSentAndReadDoneGiveNothingBack() throws {
        let port = try open()
        for slot in 0..<64 { device.setWord(device.transmitRing, slot, 1, .max) }
        let before = port.pool.freeCount
        port.reclaim()
        #expect(port.pool.freeCount == before)
    }

    @Test func everyTailTheDriverPublishesIsInsideTheRing() throws {
        let port = try open()
        var batch = port.makeBatch(capacity: 16)
        #expect(device.register(E1000E.rdt[0].offset) == 63)
        for round in 0..<20 {
            for slot in 0..<16 { device.complete((round * 16 + slot) & 63, length: 60) }
            #expect(port.receive(into: &batch) == 16)
            batch.removeAll()
            #expect(device.register(E1000E.rdt[0].offset) == UInt32((round * 16 + 15) & 63))
        }
    }

    @Test func allOnesAtOpeningIsADeviceThatIsGone() throws {
        device.stuck[E1000E.status.offset] = .max
        #expect { _ = try open() } throws: { "\($0)".contains("all-ones") }
    }

    @Test func aResetThatNeverEndsIsATimeOutThatNamesTheRegister() throws {
        device.stuck[E1000E.ctrl.offset] = E1000E.Control.reset.rawValue
        #expect { _ = try open() } throws: { "\($0)".contains("CTRL.RST") }
    }

    @Test func aLinkThatNeverComesUpIsABoundedWait() throws {
        device.registers[E1000E.status.offset] = 0
        #expect { _ = try open() } throws: { "\($0)".contains("no link within 30 ms") }
    }

    @Test func aDeviceThatVanishesIsAnErrorOfTheHealthCheck() throws {
        let port = try open()
        device.isGone = true
        #expect { try port.checkHealth() } throws: { "\($0)".contains("gone") }
        #expect { try port.stop() } throws: { "\($0)".contains("gone") }
        #expect(port.pool.freeCount == port.pool.capacity)
    }

    @Test func noUsableAddressAnywhereIsRefusedWithTheFix() throws {
        device.registers[E1000E.rah[0].offset] = 0
        #expect { _ = try open() } throws: { "\($0)".contains("Program the NVM") }
    }

    @Test(arguments: [0, 1]) func aMappingThatIsRefusedLeavesNothingMapped(which: Int) throws {
        device.refusedMapping = which
        #expect { _ = try open() } throws: { "\($0)".contains("the test refuses") }
        #expect(device.dma.count == 0)
    }

    @Test func aStopUnmapsEverythingAndEndsBusMastering() throws {
        let port = try open()
        #expect(device.dma.count == 2 && device.isBusMaster)
        try port.stop()
        #expect(device.dma.count == 0 && !device.isBusMaster)
    }

    @Test func doorbellsThatCannotBeMappedAreForwarded() throws {
        device.offersDoorbells = false
        let port = try open()
        var batch = port.makeBatch(capacity: 4)
        for _ in 0..<3 {
            guard var packet = port.makePacket() else { break }
            packet.byteCount = 60
            if batch.append(packet) != nil { Issue.record("the batch is full") }
        }
        #expect(port.send(&batch) == 3)
        #expect(device.registers[E1000E.tdt[0].offset] == 3)
        #expect(device.registers[E1000E.rdt[0].offset] == 63)
    }
}
