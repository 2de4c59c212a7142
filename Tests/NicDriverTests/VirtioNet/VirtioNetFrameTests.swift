import DeviceMemory
import NicDriver
import NicRegisters
import Testing

/// Headers, padding, checksums and notifications.
struct VirtioNetFrameTests {
    /// What the device reads of a sent frame: header and frame.
    private func sent(_ bench: VirtioNetBench, _ index: Int) -> [UInt8] {
        let (address, byteCount) = bench.transmitQueue.descriptor(index)
        return bench.transmitQueue.memory(address, Int(byteCount)).bytes(at: 0, byteCount: Int(byteCount))
    }

    private func send(_ bytes: [UInt8], _ flags: PacketFlags, network: Int = 20, on port: VirtioNetPort) throws {
        var batch = port.makeBatch(capacity: 1)
        var packet = try port.packet()
        packet.window.fill(0xee)
        packet.window.store(bytes, at: 0)
        packet.byteCount = bytes.count
        if !flags.isEmpty { packet.requestChecksums(flags, linkHeaderByteCount: 14, networkHeaderByteCount: network) }
        _ = batch.append(packet)
        #expect(port.send(&batch) == 1)
    }

    @Test(arguments: [false, true]) func aFrameGoesWithAnEmptyHeader(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        // The buffer was used for receiving: its header is not empty.
        bench.receiveQueue.receive(0, length: 64, flags: 2)
        var batch = port.makeBatch(capacity: 1)
        #expect(port.receive(into: &batch) == 1)
        #expect(port.send(&batch) == 1)
        #expect(sent(bench, 0).count == 76)
        #expect(sent(bench, 0).prefix(12) == ArraySlice(repeating: 0, count: 12))
    }

    @Test(arguments: [false, true]) func aShortFrameIsPaddedWithZeros(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        try send([UInt8](repeating: 7, count: 20), [], on: port)
        #expect(sent(bench, 0) == [UInt8](repeating: 0, count: 12) + [UInt8](repeating: 7, count: 20) + [UInt8](repeating: 0, count: 40))
        #expect(port.counters.sentBytes == 20)
    }

    @Test(arguments: [false, true]) func anEmptyFrameAndOneThatIsTooLongAreRefusedAndCounted(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        let free = port.pool.freeCount
        for byteCount in [0, 1515, 2036] {
            var batch = try bench.frames(1, byteCount: byteCount, of: port)
            #expect(port.send(&batch) == 1 && batch.isEmpty)
        }
        #expect(port.counters.sendLengthErrors == 3 && port.counters.sentFrames == 0)
        #expect(port.pool.freeCount == free)
    }

    @Test(arguments: [true, false]) func aTransportChecksumIsTheDevicesIfItCan(deviceCan: Bool) throws {
        let bench = try VirtioNetBench(isPacked: false)
        if !deviceCan { bench.device.features.remove(.checksum) }
        let port = try bench.open()
        var frame = [UInt8](repeating: 0, count: 64)
        frame[34] = 0x12
        frame[40] = 0x34
        try send(frame, .insertUDPChecksum, on: port)
        let got = sent(bench, 0)
        if deviceCan {
            #expect(got.prefix(12) == [1, 0, 0, 0, 0, 0, 34, 0, 6, 0, 0, 0])
            #expect(Array(got.dropFirst(12)) == frame)
        } else {
            #expect(got.prefix(12) == ArraySlice(repeating: 0, count: 12))
            // ~(0x1200 + 0x3400)
            #expect(got[12 + 40] == 0xb9 && got[12 + 41] == 0xff)
        }
    }

    @Test func anIPHeaderChecksumIsTheDrivers() throws {
        let bench = try VirtioNetBench(isPacked: false)
        let port = try bench.open()
        let header: [UInt8] = [0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 198, 18, 0, 1, 198, 18, 0, 2]
        let frame = [UInt8](repeating: 0, count: 14) + header + [UInt8](repeating: 1, count: 30)
        try send(frame, .insertIPChecksum, on: port)
        let got = sent(bench, 0)
        #expect(got.prefix(12) == ArraySlice(repeating: 0, count: 12))
        #expect(got[12 + 24] == 0xee && got[12 + 25] == 0x97)
    }

    @Test func checksumsBeyondTheFrameAreRefusedAndCounted() throws {
        let bench = try VirtioNetBench(isPacked: false)
        let port = try bench.open()
        try send([UInt8](repeating: 1, count: 60), .insertTCPChecksum, network: 40, on: port)
        try send([UInt8](repeating: 1, count: 60), .insertIPChecksum, network: 200, on: port)
        #expect(port.counters.sendLengthErrors == 2 && port.counters.sentFrames == 0)
    }

    // Receiving.

    @Test(arguments: [false, true]) func aCheckedFrameSaysSo(isPacked: Bool) throws {
        for offered in [true, false] {
            let bench = try VirtioNetBench(isPacked: isPacked)
            if !offered { bench.device.features.remove(.guestChecksum) }
            let port = try bench.open()
            bench.receiveQueue.receive(0, length: 60, flags: 2)
            bench.receiveQueue.receive(1, length: 60, flags: 0xf8)
            var batch = port.makeBatch(capacity: 2)
            #expect(port.receive(into: &batch) == 2)
            #expect(batch.removeFirst()?.flags == (offered ? [.udpChecksumChecked, .tcpChecksumChecked] : []))
            #expect(batch.removeFirst()?.flags == [])
        }
    }

    @Test(arguments: [false, true]) func aChecksumThatTheSenderLeftOutIsCompleted(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        let buffer = bench.receiveQueue.memory(bench.receiveQueue.descriptor(0).address, 2048)
        buffer.fill(0)
        buffer.store8(0x12, at: 12 + 34)
        buffer.store8(0x34, at: 12 + 50)
        bench.receiveQueue.receive(0, length: 60, flags: 1, start: 34, offset: 16)
        var batch = port.makeBatch(capacity: 1)
        #expect(port.receive(into: &batch) == 1)
        let packet = try batch.first()
        #expect(packet.window.bytes(at: 50, byteCount: 2) == [0xb9, 0xff])
        #expect(packet.flags == [.udpChecksumChecked, .tcpChecksumChecked])
    }

    @Test(arguments: [(UInt16(50), UInt16(16)), (0xffff, 0xffff), (59, 0), (0, 59)])
    func aChecksumBeyondTheFrameIsADamagedFrame(start: UInt16, offset: UInt16) throws {
        let bench = try VirtioNetBench(isPacked: false)
        let port = try bench.open()
        bench.receiveQueue.receive(0, length: 60, flags: 1, start: start, offset: offset)
        #expect(port.receivedLengths() == [])
        #expect(port.counters.receiveErrors == 1)
    }

    // Notifications.

    @Test(arguments: [false, true]) func theDeviceHearsOfFramesUnlessItDoesNotWantTo(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        bench.device.queues[1].notifyOffset = 1
        let port = try bench.open()
        for wanted in [true, false, true] {
            bench.transmitQueue.wantNotifications(wanted)
            bench.device.clearDoorbells()
            var batch = try bench.frames(1, of: port)
            #expect(port.send(&batch) == 1)
            #expect(bench.device.doorbell(ofQueue: 1) == (wanted ? 1 : 0xffff))
        }
    }

    @Test(arguments: [false, true]) func withTheEventIndexTheDeviceHearsOfOneFrame(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        bench.device.features.insert(.eventIndex)
        bench.device.queues[1].notifyOffset = 1
        let port = try bench.open()
        var sent = 0
        // Over several laps of the ring, and over the end of it.
        for event in [2, 3, 10, 63, 64, 65, 127, 130, 200] {
            bench.transmitQueue.wantNotification(at: event)
            while sent < event + 5 {
                bench.device.clearDoorbells()
                var batch = try bench.frames(3, of: port)
                #expect(port.send(&batch) == 3)
                let isDue = (sent..<sent + 3).contains(event)
                #expect((bench.device.doorbell(ofQueue: 1) == 1) == isDue || sent == 0, "frames \(sent) to \(sent + 2), event \(event)")
                // The last ones stay in use: the device is at work.
                for number in max(0, sent - 3)..<sent { bench.transmitQueue.use(UInt32(number % 64)) }
                sent += 3
            }
        }
    }

    @Test func aPackedDeviceThatHasUsedEverythingHearsOfTheNextFrameWhateverItsEvent() throws {
        let bench = try VirtioNetBench(isPacked: true)
        bench.device.features.insert(.eventIndex)
        bench.device.queues[1].notifyOffset = 1
        let port = try bench.open()
        var batch = try bench.frames(6, of: port)
        #expect(port.send(&batch) == 6)
        bench.transmitQueue.wantNotification(at: 2)
        for id in UInt32(0)..<5 { bench.transmitQueue.use(id) }
        for isIdle in [false, true] {
            bench.device.clearDoorbells()
            if isIdle { for id in UInt32(5)..<7 { bench.transmitQueue.use(id) } }
            var next = try bench.frames(1, of: port)
            #expect(port.send(&next) == 1)
            #expect((bench.device.doorbell(ofQueue: 1) == 1) == isIdle)
        }
    }

    @Test(arguments: [false, true]) func notificationsThatCannotBeMappedAreForwarded(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        bench.device.offersDoorbells = false
        let port = try bench.open()
        #expect(bench.device.notified == [2, 2, 2, 0])
        var batch = try bench.frames(3, of: port)
        #expect(port.send(&batch) == 3)
        #expect(bench.device.notified == [2, 2, 2, 0, 1])
        bench.receiveQueue.receive(0, length: 60)
        #expect(port.receivedLengths() == [60])
        #expect(bench.device.notified == [2, 2, 2, 0, 1, 0])
    }

    // Health.

    @Test func aDeviceThatAsksForAResetIsAnErrorOfTheHealthCheck() throws {
        let bench = try VirtioNetBench(isPacked: false)
        let port = try bench.open()
        try port.checkHealth()
        bench.device.setStatus(0x40)
        #expect { try port.checkHealth() } throws: { "\($0)".contains("asks for a reset") }
    }

    @Test(arguments: [false, true]) func aDeviceThatVanishesGivesEverythingBack(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        var batch = try bench.frames(3, of: port)
        #expect(port.send(&batch) == 3)
        bench.device.isGone = true
        #expect { try port.checkHealth() } throws: { "\($0)".contains("gone") }
        #expect { try port.stop() } throws: { "\($0)".contains("gone") }
        #expect(port.pool.freeCount == port.pool.capacity)
        #expect(bench.device.dma.count == 0)
    }
}
