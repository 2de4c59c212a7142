import DeviceAccess
import DeviceMemory
import LinuxIO
import Synchronization
import Testing

@testable import VfioUser

/// A client whose server is started again.
@Suite struct ReconnectTests {
    private typealias Register = ToyModel.Offset

    private func isGone(_ error: DeviceError?) -> Bool {
        if case .gone? = error { return true }
        return false
    }

    /// The model writes into memory, by the address that the client mapped.
    private func fill(_ device: VfioUserDevice, at iova: UInt64, pattern: UInt64) throws -> Bool {
        try device.writeRegion(0, at: Register.address, iova, byteCount: 8)
        try device.writeRegion(0, at: Register.length, 16, byteCount: 4)
        try device.writeRegion(0, at: Register.pattern, pattern, byteCount: 4)
        try device.writeRegion(0, at: Register.command, ToyModel.Command.fill, byteCount: 4)
        return try device.readRegion(0, at: Register.status, byteCount: 4) == 1
    }

    private func interrupt(_ device: VfioUserDevice, vector: UInt64) throws {
        try device.writeRegion(0, at: Register.vector, vector, byteCount: 4)
        try device.writeRegion(0, at: Register.command, ToyModel.Command.msix, byteCount: 4)
    }

    @Test func areasMemoryAndInterruptsGoOnWithTheNextServer() throws {
        var server: RunningServer? = try RunningServer()
        let path = try #require(server).path
        let device = try #require(server).device()
        let areas = try device.mapAreas(of: 0)
        let doorbell = Doorbell(areas[0].window, at: 0)
        let memory = try DMAMemory.ordinary(byteCount: 0x2000), gone = try DMAMemory.ordinary(byteCount: 0x1000)
        try device.map(memory, at: IOVA(0x10000), access: .readWrite)
        try device.map(gone, at: IOVA(0x20000), access: .readWrite)
        try device.unmap(try #require(IOVARange(start: IOVA(0x20000), byteCount: 0x1000)))
        let first = try EventFD(), second = try EventFD()
        try device.enableInterrupts(.msix, eventfds: [first.number, second.number])
        doorbell.ring(77)
        server = nil
        #expect(isGone(#expect(throws: DeviceError.self) { try device.checkPresence() }))

        server = try RunningServer(path: path)
        let start = MonotonicClock.nanoseconds()
        try device.reconnect(timeoutMilliseconds: 5000)
        #expect(MonotonicClock.nanoseconds() - start < 1_000_000_000)
        try device.checkPresence()
        #expect(doorbell.value == 0)
        try device.writeRegion(0, at: Register.polling, 1, byteCount: 4)
        doorbell.ring(5)
        #expect(eventually { (try? device.readRegion(0, at: Register.doorbells, byteCount: 4)) == 1 })
        #expect(try device.readRegion(0, at: 0x2000, byteCount: 4) == 5)
        #expect(try fill(device, at: 0x11000, pattern: 0x5a) && memory.window.load8(at: 0x1000) == 0x5a)
        #expect(try !fill(device, at: 0x20000, pattern: 0x5a))
        try interrupt(device, vector: 1)
        #expect(first.drain() == 0 && second.drain() == 1)
        // What is disabled stays so.
        try device.disableInterrupts(.msix)
        server = nil
        server = try RunningServer(path: path)
        try device.reconnect(timeoutMilliseconds: 5000)
        try interrupt(device, vector: 1)
        #expect(second.drain() == 0)
        #expect(try device.mapAreas(of: 0).count == 2)
    }

    @Test func silentVectorsAndClosedEventfdsStayAsTheyAre() throws {
        var server: RunningServer? = try RunningServer()
        let path = try #require(server).path
        let device = try #require(server).device()
        let watched = try EventFD()
        do {
            let given = try EventFD(adopting: watched.descriptor.duplicate())
            try device.enableInterrupts(.msix, eventfds: [-1, given.number, -1, given.number])
        }
        for _ in 0..<2 {
            for vector in 0..<4 as Range<UInt64> { try interrupt(device, vector: vector) }
            #expect(watched.drain() == 2)
            server = nil
            server = try RunningServer(path: path)
            try device.reconnect(timeoutMilliseconds: 5000)
        }
    }

    @Test func aServerThatComesLaterIsWaitedFor() throws {
        var server: RunningServer? = try RunningServer()
        let path = try #require(server).path
        let device = try #require(server).device()
        server = nil
        let next = Mutex<RunningServer?>(nil)
        let starting = TestThread {
            _ = waitForEvents([], timeoutMilliseconds: 300)
            let started = try? RunningServer(path: path)
            next.withLock { $0 = started }
        }
        try device.reconnect(timeoutMilliseconds: 10_000)
        starting.join()
        #expect(try device.readRegion(0, at: 0, byteCount: 4) == ToyModel.identity)
    }

    @Test func withoutAServerItStaysGoneAndMayBeTriedAgain() throws {
        var server: RunningServer? = try RunningServer()
        let path = try #require(server).path
        let device = try #require(server).device()
        server = nil
        for _ in 0..<2 {
            let start = MonotonicClock.nanoseconds()
            #expect(isGone(#expect(throws: DeviceError.self) { try device.reconnect(timeoutMilliseconds: 200) }))
            #expect((190_000_000..<1_200_000_000).contains(MonotonicClock.nanoseconds() - start))
            #expect(isGone(#expect(throws: DeviceError.self) { _ = try device.readRegion(0, at: 0, byteCount: 4) }))
        }
        server = try RunningServer(path: path)
        try device.reconnect(timeoutMilliseconds: 5000)
        #expect(try device.readRegion(0, at: 0, byteCount: 4) == ToyModel.identity)
    }

    @Test func anotherDeviceIsToldApart() throws {
        var server: RunningServer? = try RunningServer()
        let path = try #require(server).path
        let device = try #require(server).device()
        _ = try device.mapAreas(of: 0)
        server = nil
        var options = ServerOptions()
        options.trapDoorbells = true
        server = try RunningServer(options, path: path)
        let failure = #expect(throws: DeviceError.self) { try device.reconnect(timeoutMilliseconds: 5000) }
        guard case .notUsable(_, _, let reason, _)? = failure else { Issue.record("\(String(describing: failure))"); return }
        #expect(reason.contains("region 0"))
        #expect(isGone(#expect(throws: DeviceError.self) { try device.checkPresence() }))
        server = nil
        server = try RunningServer(path: path)
        try device.reconnect(timeoutMilliseconds: 5000)
        try device.checkPresence()
    }

    @Test func aServerThatSaysNothingEndsTheWaitInTime() throws {
        var server: RunningServer? = try RunningServer()
        let path = try #require(server).path
        let device = try #require(server).device()
        server = nil
        // Connections wait in its queue for ever.
        let listener = try UnixSocket.listen(at: path, backlog: 8)
        defer { PathIdentity(of: path)?.unlink(path) }
        let start = MonotonicClock.nanoseconds()
        #expect(isGone(#expect(throws: DeviceError.self) { try device.reconnect(timeoutMilliseconds: 300) }))
        #expect(MonotonicClock.nanoseconds() - start < 1_500_000_000)
        withExtendedLifetime(listener.number) {}
    }

    @Test func aServerThatDiesInTheMiddleLeavesADeviceThatCanBeTriedAgain() throws {
        var server: RunningServer? = try RunningServer()
        let path = try #require(server).path
        let device = try #require(server).device()
        let memory = try DMAMemory.ordinary(byteCount: 0x1000)
        for index in 0..<8 as Range<UInt64> { try device.map(memory, at: IOVA(0x10000 + index * 0x1000), access: .readWrite) }
        server = nil
        do {
            let maps = Atomic<Int>(0)
            let dying = try ScriptedServer(path: path) { message in
                guard message.header.command == Command.dmaMap.rawValue else { return nil }
                return maps.add(1, ordering: .relaxed).newValue == 4 ? .init(hangsUp: true) : nil
            }
            #expect(isGone(#expect(throws: DeviceError.self) { try device.reconnect(timeoutMilliseconds: 300) }))
            #expect(maps.load(ordering: .relaxed) == 4 && dying.path == path)
        }
        server = try RunningServer(path: path)
        try device.reconnect(timeoutMilliseconds: 5000)
        #expect(try fill(device, at: 0x17000, pattern: 1))
    }

    @Test func mappingsAreAskedForTogetherAndAnsweredInAnyOrder() throws {
        var server: RunningServer? = try RunningServer()
        let path = try #require(server).path
        let device = try #require(server).device()
        let memory = try DMAMemory.ordinary(byteCount: 0x1000)
        for index in 0..<8 as Range<UInt64> { try device.map(memory, at: IOVA(0x10000 + index * 0x1000), access: .readWrite) }
        server = nil
        let held = Mutex<[[UInt8]]>([])
        let scripted = try ScriptedServer(path: path) { message in
            guard message.header.command == Command.dmaMap.rawValue else { return nil }
            let all = held.withLock { held in
                held.append(ScriptedServer.reply(message, []))
                return held
            }
            return .init(bytes: all.count == 8 ? all.reversed().flatMap { $0 } : [])
        }
        try device.reconnect(timeoutMilliseconds: 3000)
        #expect(try device.readRegion(0, at: 0, byteCount: 1) == 0x5a)
        #expect(held.withLock { $0.count } == 8 && scripted.path == path)
    }

    @Test func twoHundredReconnectionsLeaveNothingBehind() throws {
        let server = try RunningServer()
        let device = try server.device()
        let name = "unic-again-\(MonotonicClock.nanoseconds())"
        let memory = try DMAMemory.ordinary(byteCount: 0x1000, name: name)
        try device.map(memory, at: IOVA(0x10000), access: .readWrite)
        let event = try EventFD()
        try device.enableInterrupts(.msix, eventfds: [event.number])
        let doorbell = Doorbell(try device.mapAreas(of: 0)[0].window, at: 0)
        func counts() -> [Int] {
            [OpenDescriptors.count(pointingAt: name), OpenDescriptors.mappings(of: name), OpenDescriptors.count(ofEventFD: event.number)]
        }
        let before = counts()
        let descriptors = OpenDescriptors.count(pointingAt: ""), mappings = OpenDescriptors.mappings(of: "")
        for round in 0..<200 as Range<UInt32> {
            try device.reconnect(timeoutMilliseconds: 5000)
            doorbell.ring(round)
        }
        #expect(counts() == before)
        // Other tests run meanwhile.
        #expect(OpenDescriptors.count(pointingAt: "") < descriptors + 150 && OpenDescriptors.mappings(of: "") < mappings + 150)
        #expect(try fill(device, at: 0x10000, pattern: 3))
    }
}
