import NicDriver
import NicRegisters
import Testing

/// The control queue: filters, flows, and devices that do not answer.
struct VirtioNetControlTests {
    @Test(arguments: [false, true]) func theFilterIsSetAtTheStart(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        _ = try bench.open()
        #expect(bench.device.commands == [[1, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0], [0, 0, 0]])
    }

    @Test(arguments: [false, true]) func filtersGoOutAsTablesAndModes(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        // More commands than the ring has places.
        for round in 0..<70 {
            var filter = ReceiveFilter()
            filter.unicast = [MACAddress(bits: 0x02_00_00_00_00_10)]
            filter.multicast = [MACAddress(bits: 0x01_00_5e_00_00_01)]
            filter.isPromiscuous = round % 2 == 0
            try port.setFilter(filter)
        }
        #expect(
            bench.device.commands.suffix(3) == [
                [1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0x10, 1, 0, 0, 0, 1, 0, 0x5e, 0, 0, 1], [0, 1, 0], [0, 0, 0],
            ])
        #expect(bench.device.commands.count == 71 * 3)
    }

    @Test func moreGroupsThanTheTableHoldsBecomeAllGroups() throws {
        let bench = try VirtioNetBench(isPacked: false)
        let port = try bench.open()
        var filter = ReceiveFilter()
        filter.multicast = (0..<65).map { MACAddress(bits: 0x01_00_5e_00_00_00 + UInt64($0)) }
        try port.setFilter(filter)
        #expect(bench.device.commands.suffix(2) == [[0, 1, 1], [0, 0, 0]])
        filter.unicast = (0..<65).map { MACAddress(bits: 0x02_00_00_00_01_00 + UInt64($0)) }
        #expect { try port.setFilter(filter) } throws: { "\($0)".contains("promiscuous") }
    }

    @Test(arguments: [false, true]) func aSilentControlQueueIsABoundedWait(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        bench.device.controlIsSilent = true
        bench.expectRefusal("no answer to the command 'MAC table' within 1000 ms")
    }

    @Test func afterACommandWithoutAnswerNoOtherIsGiven() throws {
        let bench = try VirtioNetBench(isPacked: false)
        let port = try bench.open()
        bench.device.controlIsSilent = true
        #expect(throws: PortError.self) { try port.setFilter(ReceiveFilter()) }
        #expect { try port.setFilter(ReceiveFilter()) } throws: { "\($0)".contains("an earlier command") }
        try port.stop()
        #expect(bench.device.dma.count == 0)
    }

    @Test(arguments: [UInt8(1), 0xff]) func aNoIsAnError(answer: UInt8) throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.controlAnswer = answer
        bench.expectRefusal("answered \(answer)")
    }

    @Test func withoutFilterCommandsOnlyTheDefaultIsTaken() throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.features.remove(.controlReceive)
        let port = try bench.open()
        #expect(bench.device.commands.isEmpty && port.capabilities.furtherUnicastCount == 0)
        try port.setFilter(ReceiveFilter())
        var filter = ReceiveFilter()
        filter.isPromiscuous = true
        #expect { try port.setFilter(filter) } throws: { "\($0)".contains("VIRTIO_NET_F_CTRL_RX") }
    }

    @Test(arguments: [false, true]) func severalPairsAreAskedFor(isPacked: Bool) throws {
        var bench = try VirtioNetBench(isPacked: isPacked)
        bench.options.queuePairCount = 3
        let port = try bench.open()
        #expect(port.queuePairs.count == 3)
        #expect(bench.device.commands.first == [4, 0, 3, 0])
        // Queues are numbered by what the device has: its control queue comes after four pairs.
        #expect(bench.device.queues.map(\.isEnabled) == [true, true, true, true, true, true, false, false, true])
    }

    @Test func flowsAreSpreadByAHashWhereTheDeviceHasOne() throws {
        var bench = try VirtioNetBench(isPacked: false)
        bench.device.features.insert(.rss)
        bench.device.netConfig[17] = 40
        bench.device.netConfig[18] = 128
        bench.device.netConfig[20] = 0x07
        bench.options.queuePairCount = 3
        _ = try bench.open()
        let command = try #require(bench.device.commands.first)
        #expect(command.count == 2 + 4 + 2 + 2 + 256 + 2 + 1 + 40)
        #expect(command.prefix(16) == [4, 1, 7, 0, 0, 0, 127, 0, 0, 0, 0, 0, 1, 0, 2, 0])
        #expect(command[266...268] == [3, 0, 40])
        #expect(command.suffix(40) == ToeplitzHash.standardKey[...])
    }

    @Test func aHashWithTooSmallATableIsRefused() throws {
        var bench = try VirtioNetBench(isPacked: false)
        bench.device.features.insert(.rss)
        bench.device.netConfig[17] = 40
        bench.device.netConfig[18] = 127
        bench.options.queuePairCount = 2
        bench.expectRefusal("table of 128")
    }
}
