import DeviceAccess
import DeviceMemory
import NicDriver
import NicRegisters
import Testing

/// What a driver does with a virtual function whose descriptors and registers lie.
struct HostileFunctionTests {
    let device: ScriptedFunction
    var options = PortOptions()

    init() throws {
        device = try ScriptedFunction()
        options.receiveRingSize = 64
        options.transmitRingSize = 64
        options.sparePackets = 64
        options.linkTimeoutMilliseconds = 30
    }

    func open() throws -> IgbvfPort { try IgbvfPort.scripted(device, options) }

    @Test func aLengthBeyondTheBufferIsACountedDrop() throws {
        let port = try open()
        var batch = port.makeBatch(capacity: 8)
        for (slot, length) in [0xffff, 2049, 1515, 0, 100].enumerated() { device.complete(slot, length: UInt16(length)) }
        #expect(port.receive(into: &batch) == 1)
        #expect(port.counters.receiveLengthErrors == 4)
        #expect(batch.removeFirst()?.byteCount == 100)
    }

    @Test func doneWithoutAnEndIsDroppedWholeAndCountedOnce() throws {
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

    @Test func aRingFullOfAllOnesEndsACall() throws {
        let port = try open()
        var batch = port.makeBatch(capacity: 8)
        let free = port.pool.freeCount
        for slot in 0..<64 { device.setWord(device.receiveRing, slot, 1, .max) }
        #expect(port.receive(into: &batch) == 0)
        #expect(port.counters.receiveErrors == 64 && port.pool.freeCount == free)
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

    @Test func allOnesAtOpeningIsADeviceThatIsGone() throws {
        device.stuck[Igbvf.status.offset] = .max
        #expect { _ = try open() } throws: { "\($0)".contains("all-ones") }
    }

    @Test func aLinkThatNeverComesUpIsABoundedWait() throws {
        device.registers[Igbvf.status.offset] = 0
        #expect { _ = try open() } throws: { "\($0)".contains("no link within 30 ms") }
        #expect(device.dma.count == 0)
    }

    @Test func aLinkThatGoesIsAnErrorOfTheHealthCheck() throws {
        let port = try open()
        device.registers[Igbvf.status.offset] = 0
        #expect { try port.checkHealth() } throws: { "\($0)".contains("no link") }
    }

    @Test func aDeviceThatVanishesIsAnErrorAndGivesItsBuffersBack() throws {
        let port = try open()
        device.isGone = true
        #expect { try port.checkHealth() } throws: { "\($0)".contains("gone") }
        #expect { _ = try port.readDeviceCounters() } throws: { "\($0)".contains("gone") }
        #expect { try port.stop() } throws: { "\($0)".contains("gone") }
        #expect(port.pool.freeCount == port.pool.capacity)
    }

    @Test func aMappedRegisterFullOfOnesIsADeviceThatIsGone() throws {
        let port = try open()
        device.setRegister(Igbvf.rxdctl[0].offset, .max)
        #expect { try port.checkHealth() } throws: { "\($0)".contains("RXDCTL reads all-ones") }
    }

    @Test func aStopUnmapsEverythingEndsBusMasteringAndResets() throws {
        let port = try open()
        #expect(device.dma.count == 2 && device.isBusMaster && device.resetCount == 1)
        try port.stop()
        #expect(device.dma.count == 0 && !device.isBusMaster && device.resetCount == 2)
        #expect(device.register(Igbvf.rxdctl[0].offset) == 0 && device.register(Igbvf.txdctl[0].offset) == 0)
    }

    @Test func countersThatWrapAreAddedUp() throws {
        device.registers[Igbvf.vfgprc.offset] = 0xffff_fffe
        device.registers[Igbvf.vfgorc.offset] = 500
        let port = try open()
        #expect(try port.readDeviceCounters() == DeviceCounters())
        device.registers[Igbvf.vfgprc.offset] = 3
        device.registers[Igbvf.vfgorc.offset] = 820
        device.registers[Igbvf.vfgptc.offset] = 7
        let counters = try #require(try port.readDeviceCounters())
        #expect(counters.receivedFrames == 5 && counters.receivedBytes == 320 && counters.sentFrames == 7)
        #expect(try port.readDeviceCounters() == counters)
    }

    /// A reset of the PF zeroes them, which is no wrap.
    @Test func countersOfAFunctionThatWasResetStay() throws {
        let port = try open()
        device.registers[Igbvf.vfgprc.offset] = 100
        let before = try port.readDeviceCounters()
        device.resetPF()
        device.registers[Igbvf.vfgprc.offset] = 0
        #expect(try port.readDeviceCounters() == before)
    }
}
