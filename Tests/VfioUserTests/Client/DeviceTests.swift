import DeviceAccess
import DeviceMemory
import LinuxIO
import Testing

@testable import VfioUser

/// The client against the real server.
@Suite struct DeviceTests {
    private typealias Register = ToyModel.Offset

    /// Makes the model do something with memory, and returns its status: 1 done, 2 fault.
    private func run(_ command: UInt64, on device: VfioUserDevice, at iova: UInt64, byteCount: UInt64, pattern: UInt64 = 0) throws -> UInt64
    {
        try device.writeRegion(0, at: Register.address, iova, byteCount: 8)
        try device.writeRegion(0, at: Register.length, byteCount, byteCount: 4)
        try device.writeRegion(0, at: Register.pattern, pattern, byteCount: 4)
        try device.writeRegion(0, at: Register.command, command, byteCount: 4)
        return try device.readRegion(0, at: Register.status, byteCount: 4)
    }

    @Test func identityAndConfigSpaceAreRead() throws {
        let server = try RunningServer()
        let device = try server.device()
        #expect(try device.readConfig(at: 0, byteCount: 4) == 0x10d3_8086)
        #expect(try device.readConfig(at: 0x40, byteCount: 1) == 0x10)
        #expect(try device.readRegion(0, at: Register.identity, byteCount: 4) == ToyModel.identity)
        #expect(device.progress == nil)
    }

    @Test func configWritesReachOnlyWritableBits() throws {
        let server = try RunningServer()
        let device = try server.device()
        try device.writeConfig(0x0406, at: 4, byteCount: 2)
        #expect(try device.readConfig(at: 4, byteCount: 2) == 0x0006)
        #expect(try device.readRegion(0, at: Register.configWrites, byteCount: 4) == 1)
    }

    @Test func theModelHearsOfAConfigReadBeforeItIsAnswered() throws {
        let server = try RunningServer()
        let device = try server.device()
        let first = try device.readConfig(at: 0x80, byteCount: 1)
        #expect(try device.readConfig(at: 0x80, byteCount: 1) == first + 1)
    }

    @Test func registersOfAllSizesAreWrittenAndRead() throws {
        let server = try RunningServer()
        let device = try server.device()
        for byteCount in [1, 2, 4, 8] {
            let value = UInt64(0x1122_3344_5566_7788) & (byteCount == 8 ? .max : (1 << UInt64(byteCount * 8)) - 1)
            try device.writeRegion(0, at: Register.scratch, value, byteCount: byteCount)
            #expect(try device.readRegion(0, at: Register.scratch, byteCount: byteCount) == value)
        }
    }

    @Test func accessOutsideOfARegionIsRefusedWithoutAsking() throws {
        let server = try RunningServer()
        let device = try server.device()
        #expect(throws: DeviceError.self) { _ = try device.readRegion(0, at: 0x4000, byteCount: 4) }
        #expect(throws: DeviceError.self) { _ = try device.readRegion(0, at: .max, byteCount: 4) }
        #expect(throws: DeviceError.self) { _ = try device.readRegion(0, at: 0, byteCount: 3) }
        #expect(throws: DeviceError.self) { _ = try device.readRegion(9, at: 0, byteCount: 4) }
        #expect(throws: DeviceError.self) { _ = try device.readRegion(-1, at: 0, byteCount: 4) }
        #expect(throws: DeviceError.self) { _ = try device.readConfig(at: -4, byteCount: 4) }
    }

    @Test func regionsAreDescribedAsTheModelHasThem() throws {
        let server = try RunningServer()
        let device = try server.device()
        #expect(try device.regionInfo(0) == RegionInfo(byteCount: 0x4000, mmappableAreas: [0x2000..<0x3000, 0x3000..<0x4000]))
        #expect(try device.regionInfo(1) == RegionInfo(byteCount: 0, isReadable: false, isWritable: false))
        #expect(try device.regionInfo(7) == RegionInfo(byteCount: 256))
        #expect(try device.mapAreas(of: 2).isEmpty)
    }

    @Test func mappedDoorbellsReachTheModelWhileItPolls() throws {
        let server = try RunningServer()
        let device = try server.device()
        try device.writeRegion(0, at: Register.polling, 1, byteCount: 4)
        let areas = try device.mapAreas(of: 0)
        #expect(areas.map(\.offset) == [0x2000, 0x3000])
        #expect(try device.mapAreas(of: 0).count == 2)
        // The server is asleep by now, and nothing but its look each millisecond sees the doorbells.
        _ = waitForEvents([], timeoutMilliseconds: 150)
        Doorbell(areas[0].window, at: 0).ring(7)
        #expect(eventually { (try? device.readRegion(0, at: Register.doorbells, byteCount: 4)) == 1 })
        Doorbell(areas[1].window, at: 0).ring(9)
        #expect(eventually { (try? device.readRegion(0, at: Register.doorbells, byteCount: 4)) == 2 })
        #expect(try device.readRegion(0, at: 0x3000, byteCount: 4) == 9)
    }

    @Test func trappedDoorbellsReachTheModelByMessage() throws {
        var options = ServerOptions()
        options.trapDoorbells = true
        let server = try RunningServer(options)
        let device = try server.device()
        #expect(try device.mapAreas(of: 0).isEmpty)
        try device.writeRegion(0, at: 0x2000, 3, byteCount: 4)
        #expect(eventually { (try? device.readRegion(0, at: Register.doorbells, byteCount: 4)) == 1 })
    }

    @Test func postedWritesArriveBeforeTheNextRead() throws {
        let server = try RunningServer()
        let device = try server.device()
        device.postsWrites = true
        for value in 0..<100 as Range<UInt64> { try device.writeRegion(0, at: Register.scratch, value, byteCount: 4) }
        #expect(try device.readRegion(0, at: Register.scratch, byteCount: 4) == 99)
    }

    @Test func mappedMemoryIsWrittenAndReadByTheModel() throws {
        let server = try RunningServer()
        let device = try server.device()
        let memory = try DMAMemory.ordinary(byteCount: 0x3000)
        try device.map(memory, at: IOVA(0x100_0000), access: .readWrite)
        #expect(try run(ToyModel.Command.fill, on: device, at: 0x100_1000, byteCount: 0x1000, pattern: 0xa5) == 1)
        #expect(memory.window.load8(at: 0xfff) == 0 && memory.window.load8(at: 0x1000) == 0xa5 && memory.window.load8(at: 0x2000) == 0)
        memory.window.store([1, 2, 3, 4], at: 0)
        #expect(try run(ToyModel.Command.sum, on: device, at: 0x100_0000, byteCount: 4) == 1)
        #expect(try device.readRegion(0, at: Register.sum, byteCount: 4) == 10)
    }

    @Test func unmappedMemoryIsOutOfReach() throws {
        let server = try RunningServer()
        let device = try server.device()
        let memory = try DMAMemory.ordinary(byteCount: 0x1000)
        let range = try #require(IOVARange(start: IOVA(0x100_0000), byteCount: 0x1000))
        try device.map(memory, at: range.start, access: .readWrite)
        #expect(try run(ToyModel.Command.fill, on: device, at: 0x100_0000, byteCount: 16, pattern: 1) == 1)
        try device.unmap(range)
        #expect(try run(ToyModel.Command.fill, on: device, at: 0x100_0000, byteCount: 16, pattern: 2) == 2)
        #expect(memory.window.load8(at: 0) == 1)
    }

    @Test func permissionsAreEnforced() throws {
        let server = try RunningServer()
        let device = try server.device()
        let readable = try DMAMemory.ordinary(byteCount: 0x1000)
        let writable = try DMAMemory.ordinary(byteCount: 0x1000)
        try device.map(readable, at: IOVA(0x10000), access: .read)
        try device.map(writable, at: IOVA(0x20000), access: .write)
        #expect(try run(ToyModel.Command.fill, on: device, at: 0x10000, byteCount: 16) == 2)
        #expect(try run(ToyModel.Command.sum, on: device, at: 0x10000, byteCount: 16) == 1)
        #expect(try run(ToyModel.Command.fill, on: device, at: 0x20000, byteCount: 16) == 1)
        #expect(try run(ToyModel.Command.sum, on: device, at: 0x20000, byteCount: 16) == 2)
    }

    @Test func mappingTwiceNamesTheRange() throws {
        let server = try RunningServer()
        let device = try server.device()
        let memory = try DMAMemory.ordinary(byteCount: 0x1000)
        try device.map(memory, at: IOVA(0x10000), access: .readWrite)
        let failure = #expect(throws: DeviceError.self) { try device.map(memory, at: IOVA(0x10000), access: .readWrite) }
        guard case .mapDMA(_, let range, _, _)? = failure else { Issue.record("\(String(describing: failure))"); return }
        #expect(range.start == IOVA(0x10000))
    }

    @Test func interruptsArriveAtTheirEventfds() throws {
        let server = try RunningServer()
        let device = try server.device()
        #expect(try device.interruptCount(.msix) == 5 && device.interruptCount(.intx) == 1 && device.interruptCount(.msi) == 0)
        let first = try EventFD(), second = try EventFD()
        try device.enableInterrupts(.msix, eventfds: [first.number, second.number])
        try device.writeRegion(0, at: Register.vector, 1, byteCount: 4)
        try device.writeRegion(0, at: Register.command, ToyModel.Command.msix, byteCount: 4)
        #expect(first.drain() == 0 && second.drain() == 1)
        try device.disableInterrupts(.msix)
        try device.writeRegion(0, at: Register.command, ToyModel.Command.msix, byteCount: 4)
        #expect(second.drain() == 0)
        #expect(server.eventually { $0.interrupts == 1 })
    }

    @Test func intxArrivesAndIsUnmasked() throws {
        let server = try RunningServer()
        let device = try server.device()
        let event = try EventFD()
        try device.enableInterrupts(.intx, eventfds: [event.number])
        for _ in 0..<3 {
            try device.writeRegion(0, at: Register.command, ToyModel.Command.intx, byteCount: 4)
            #expect(event.drain() == 1)
            try device.unmaskINTx()
        }
    }

    @Test func moreVectorsThanThereAreIsRefused() throws {
        let server = try RunningServer()
        let device = try server.device()
        let event = try EventFD()
        #expect(throws: DeviceError.self) {
            try device.enableInterrupts(.msix, eventfds: [Int32](repeating: event.number, count: 6))
        }
    }

    @Test func resetBringsTheModelToPowerOnAndKeepsMemoryMapped() throws {
        let server = try RunningServer()
        let device = try server.device()
        let memory = try DMAMemory.ordinary(byteCount: 0x1000)
        try device.map(memory, at: IOVA(0x10000), access: .readWrite)
        try device.writeConfig(0x6, at: 4, byteCount: 2)
        try device.writeRegion(0, at: Register.scratch, 5, byteCount: 4)
        let doorbell = Doorbell(try device.mapAreas(of: 0)[0].window, at: 0)
        doorbell.ring(3)
        try device.reset()
        #expect(try device.readRegion(0, at: Register.scratch, byteCount: 4) == 0)
        #expect(try device.readRegion(0, at: Register.resets, byteCount: 4) == 1)
        #expect(try device.readConfig(at: 4, byteCount: 2) == 0)
        #expect(doorbell.value == 0)
        #expect(try run(ToyModel.Command.fill, on: device, at: 0x10000, byteCount: 16) == 1)
    }

    @Test func nextClientFindsADeviceAsNew() throws {
        let server = try RunningServer()
        do {
            let device = try server.device()
            let memory = try DMAMemory.ordinary(byteCount: 0x1000)
            try device.map(memory, at: IOVA(0x10000), access: .readWrite)
            try device.writeRegion(0, at: Register.scratch, 5, byteCount: 4)
        }
        #expect(server.eventually { !$0.isConnected && $0.maps == 0 })
        let device = try server.device()
        #expect(try device.readRegion(0, at: Register.scratch, byteCount: 4) == 0)
        #expect(try run(ToyModel.Command.fill, on: device, at: 0x10000, byteCount: 16) == 2)
    }

    @Test(arguments: [false, true]) func hangUpIsNoticedWithinASecond(busyPoll: Bool) throws {
        var options = ServerOptions()
        options.busyPoll = busyPoll
        var server: RunningServer? = try RunningServer(options)
        let device = try #require(server).device()
        try device.checkPresence()
        #expect(try device.readRegion(0, at: 0, byteCount: 4) == ToyModel.identity)
        server = nil
        let start = MonotonicClock.nanoseconds()
        let failure = #expect(throws: DeviceError.self) { try device.checkPresence() }
        guard case .gone? = failure else { Issue.record("\(String(describing: failure))"); return }
        for _ in 0..<3 { #expect(throws: DeviceError.self) { _ = try device.readRegion(0, at: 0, byteCount: 4) } }
        #expect(throws: DeviceError.self) { try device.reset() }
        #expect(MonotonicClock.nanoseconds() - start < 1_000_000_000)
    }

    @Test func idleServerSleeps() throws {
        let server = try RunningServer()
        let device = try server.device()
        #expect(try device.readRegion(0, at: 0, byteCount: 4) == ToyModel.identity)
        _ = waitForEvents([], timeoutMilliseconds: 200)
        // Nothing is enabled: a read wakes it all the same.
        #expect(try device.readRegion(0, at: 0, byteCount: 4) == ToyModel.identity)
    }

    @Test func missingSocketSaysWhatToStart() {
        let failure = #expect(throws: DeviceError.self) {
            _ = try VfioUserDevice(url: "vfio-user:/tmp/none", socketPath: "/tmp/unic-no-such.sock")
        }
        guard case .notFound(_, let reason, let fix)? = failure else { Issue.record("\(String(describing: failure))"); return }
        #expect(reason.contains("/tmp/unic-no-such.sock") && fix.contains("unic serve"))
    }

    @Test func socketOfADeadServerSaysSo() throws {
        let path = RunningServer.freshPath()
        do { _ = try UnixSocket.listen(at: path, backlog: 1) }
        defer { PathIdentity(of: path)?.unlink(path) }
        let failure = #expect(throws: DeviceError.self) { _ = try VfioUserDevice(url: "vfio-user:\(path)", socketPath: path) }
        guard case .notUsable(_, _, let reason, _)? = failure else { Issue.record("\(String(describing: failure))"); return }
        #expect(reason.contains("nobody listens"))
    }
}
