import DeviceMemory
import LinuxIO
import Testing

@testable import IOMMURelay

/// The request queue.
@Suite struct VirtioIOMMURequestTests {
    @Test func eachKindOfRequestReachesTheHandlerAndItsStatusComesBack() throws {
        let bench = try IOMMUFunctionBench.running()
        let driver = try #require(bench.driver)
        let statuses: [IOMMUStatus] = [.ok, .noEntry, .range, .noMemory]
        var next = statuses.makeIterator()
        bench.handler.answer = { _ in (next.next() ?? .deviceError, []) }
        #expect(try driver.attach(endpoint: 8, domain: 1) == 0)
        #expect(try driver.detach(endpoint: 9, domain: 2) == 6)
        #expect(try driver.map(domain: 1, 0x1000, 0x1fff, to: 0xa000, flags: 1) == 5)
        #expect(try driver.unmap(domain: 3, 0x1000, 0x1fff) == 8)
        #expect(
            bench.handler.begun == [
                .attach(endpoint: 8, domain: 1, flags: 0), .detach(endpoint: 9, domain: 2),
                .map(domain: 1, first: 0x1000, last: 0x1fff, physical: GuestPhysicalAddress(0xa000), flags: 1),
                .unmap(domain: 3, first: 0x1000, last: 0x1fff),
            ])
        #expect(bench.counters.requests == 4 && bench.counters.requestsRefused == 3)
    }

    /// Linux takes over an answer only if its length is that of the whole writable part.
    @Test func theTailIsTheLastFourBytesAndAllOfThePartIsWritten() throws {
        let bench = try IOMMUFunctionBench.running()
        bench.handler.answer = { _ in (.noEntry, []) }
        for byteCount in [4, 5, 12, 600] {
            let answer = try bench.driver.send(GuestIOMMURequest.detach(endpoint: 1, domain: 1), writable: byteCount)
            #expect(answer.length == byteCount)
            #expect(answer.bytes == [UInt8](repeating: 0, count: byteCount - 4) + [6, 0, 0, 0])
        }
    }

    @Test(arguments: [false, true])
    func aFullRingIsAnsweredInOrderAndInBatches(indirect: Bool) throws {
        let bench = try IOMMUFunctionBench.running()
        let count = 256
        let notifications = bench.driver.notifications
        bench.handler.answer = { request in
            guard case .map(let domain, _, _, _, _) = request else { return (.deviceError, []) }
            return (domain % 3 == 0 ? .range : .ok, [])
        }
        let all = (0..<count).map {
            (GuestIOMMURequest.map(domain: UInt32($0), UInt64($0) << 12, UInt64($0) << 12 | 0xfff, to: 0x1000), 4)
        }
        let answers = try bench.driver.send(all, indirect: indirect)
        #expect(answers.map(\.status) == (0..<count).map { $0 % 3 == 0 ? 5 : 0 })
        #expect(answers.allSatisfy { $0.length == 4 })
        #expect(bench.handler.begun.count == count)
        #expect(bench.handler.begun.first == .map(domain: 0, first: 0, last: 0xfff, physical: GuestPhysicalAddress(0x1000), flags: 3))
        #expect(bench.counters.batches == 4 && bench.driver.notifications == notifications + 1)
    }

    @Test func aStepIsBounded() throws {
        let bench = try IOMMUFunctionBench.running()
        bench.worksByItself = false
        for slot in 0..<100 { _ = bench.driver.put(GuestIOMMURequest.detach(endpoint: 1, domain: 1), 4, slot: slot) }
        bench.driver.requests.publish()
        bench.step()
        #expect(bench.handler.begun.count == 64 && bench.driver.requests.usedIndex == 64)
        bench.step()
        #expect(bench.driver.requests.usedIndex == 100)
        #expect(!bench.step())
    }

    /// Nothing of a request is shown before it is done, and nothing that is done waits for one that is not.
    @Test func aRequestThatTakesLongerIsAskedForAgain() throws {
        let handler = ScriptedIOMMUHandler()
        let bench = try IOMMUFunctionBench.running(handler)
        bench.worksByItself = false
        for slot in 0..<3 { _ = bench.driver.put(GuestIOMMURequest.detach(endpoint: UInt32(slot), domain: 1), 4, slot: slot) }
        bench.driver.requests.publish()
        handler.answer = { [unowned handler] request in
            if case .detach(0, _) = request { handler.looksARequest = 2 }
            return (.ok, [])
        }
        #expect(bench.step())
        #expect(bench.driver.requests.usedIndex == 1 && handler.begun.count == 2)
        #expect(bench.step() && handler.advances == 1 && bench.driver.requests.usedIndex == 1)
        #expect(bench.step() && handler.advances == 2 && handler.begun.count == 3 && bench.driver.requests.usedIndex == 2)
        #expect(bench.step() && bench.step() && bench.driver.requests.usedIndex == 3)
        #expect(!bench.step() && handler.begun.count == 3)
    }

    @Test func aResetInTheMiddleForgetsTheRequestAndTouchesNothing() throws {
        let handler = ScriptedIOMMUHandler()
        handler.looksARequest = 5
        let bench = try IOMMUFunctionBench.running(handler)
        bench.worksByItself = false
        for slot in 0..<2 { _ = bench.driver.put(GuestIOMMURequest.detach(endpoint: 1, domain: 1), 4, slot: slot) }
        bench.driver.requests.publish()
        #expect(bench.step() && bench.step())
        let resets = handler.resets
        bench.driver.writeStatus(0)
        #expect(handler.resets == resets + 1 && handler.isIdle)
        bench.memory.window.fill(0x5a)
        for _ in 0..<20 { #expect(!bench.step()) }
        #expect(bench.memory.window.bytes(at: 0, byteCount: bench.memory.byteCount).allSatisfy { $0 == 0x5a })
        #expect(handler.advances == 1 && handler.begun.count == 1)
        handler.looksARequest = 0
        bench.worksByItself = true
        try bench.driver.initialise()
        #expect(try bench.driver.attach(endpoint: 1, domain: 1) == 0)
    }

    @Test func whatIsNoRequestGoesBackUnwritten() throws {
        let bench = try IOMMUFunctionBench.running()
        let map = GuestIOMMURequest.map(domain: 1, 0, 0xfff, to: 0)
        let none: [(readable: [UInt8], writableByteCount: Int)] = [
            ([6, 0, 0, 0] + [UInt8](repeating: 0, count: 68), 4), ([0], 4), ([], 4), (Array(map.dropLast()), 4), (map, 3), (map, 0),
            ([3], 0),
            (Array(GuestIOMMURequest.probe(endpoint: 1).dropLast()), 516),
        ]
        for one in none {
            let answer = try bench.driver.send(one.readable, writable: one.writableByteCount)
            #expect(answer.length == 0, "\(one)")
            #expect(answer.bytes.allSatisfy { $0 == 0xee })
        }
        #expect(bench.handler.begun.isEmpty && bench.counters.unknownRequests == UInt64(none.count))
        // The queue goes on.
        #expect(try bench.driver.attach(endpoint: 1, domain: 1) == 0)
        #expect(bench.driver.status == 15)
    }

    @Test func reservedFieldsOfAttachAreJudgedHere() throws {
        let bench = try IOMMUFunctionBench.running()
        #expect(try bench.driver.send(GuestIOMMURequest.attach(endpoint: 1, domain: 1, reserved: 1)).status == 4)
        #expect(try bench.driver.send(GuestIOMMURequest.unmap(domain: 1, 0, 0xfff, reserved: 1)).status == 4)
        #expect(bench.handler.begun.isEmpty)
    }

    // MARK: PROBE

    @Test func propertiesStandBeforeTheTail() throws {
        let bench = try IOMMUFunctionBench.running()
        let property: [UInt8] = [1, 0, 20, 0, 1] + [UInt8](repeating: 7, count: 19)
        bench.handler.answer = { _ in (.ok, property) }
        let exact = try bench.driver.send(GuestIOMMURequest.probe(endpoint: 3), writable: 516)
        #expect(exact.length == 516 && exact.bytes == property + [UInt8](repeating: 0, count: 512 - 24 + 4))
        let more = try bench.driver.send(GuestIOMMURequest.probe(endpoint: 3), writable: 600)
        #expect(more.length == 600 && more.bytes == property + [UInt8](repeating: 0, count: 600 - 24))
        #expect(bench.handler.begun == [.probe(endpoint: 3), .probe(endpoint: 3)])
    }

    @Test func tooLittleRoomForPropertiesIsInvalid() throws {
        let bench = try IOMMUFunctionBench.running()
        bench.handler.answer = { _ in (.ok, [1, 2, 3]) }
        for byteCount in [4, 5, 515] {
            let answer = try bench.driver.send(GuestIOMMURequest.probe(endpoint: 3), writable: byteCount)
            #expect(answer.status == 4 && answer.length == byteCount)
            #expect(answer.bytes.dropLast(4).allSatisfy { $0 == 0 })
        }
        #expect(bench.handler.begun.isEmpty)
    }

    @Test func aRefusedProbeHasNoProperties() throws {
        let bench = try IOMMUFunctionBench.running()
        bench.handler.answer = { _ in (.noEntry, [1, 2, 3]) }
        let answer = try bench.driver.probe(endpoint: 77)
        #expect(answer.status == 6 && answer.properties == [UInt8](repeating: 0, count: 512))
    }

    // MARK: Notifications and interrupts

    /// Awake, the host asks for no notification; before it sleeps it does.
    @Test func theDriverNotifiesOnlyASleepingHost() throws {
        let bench = try IOMMUFunctionBench.running()
        let driver = try #require(bench.driver)
        let before = driver.notifications
        #expect(try driver.attach(endpoint: 1, domain: 1) == 0)
        #expect(driver.notifications == before + 1)
        #expect(try driver.attach(endpoint: 1, domain: 1) == 0)
        #expect(driver.notifications == before + 1)
        #expect(bench.function.armWake() == nil)
        #expect(!bench.step())
        bench.function.disarmWake()
        #expect(try driver.attach(endpoint: 1, domain: 1) == 0)
        #expect(driver.notifications == before + 2 && bench.notified.last == 0x3000)
    }

    /// Linux's request queue has no vector; another driver's may have one.
    @Test func aVectorIsTriggeredOnceABatch() throws {
        let bench = try IOMMUFunctionBench()
        let requests = try bench.connect(.msix, 0)
        try bench.driver.initialise()
        bench.driver.write(0, at: 22, byteCount: 2)
        bench.driver.write(0, at: 26, byteCount: 2)
        _ = try bench.driver.send((0..<10).map { _ in (GuestIOMMURequest.detach(endpoint: 1, domain: 1), 4) })
        #expect(EventFD.drain(requests.number) == 1)
        // EVENT_IDX: not before the 20th.
        bench.driver.requests.setUsedEvent(19)
        _ = try bench.driver.send((0..<9).map { _ in (GuestIOMMURequest.detach(endpoint: 1, domain: 1), 4) })
        #expect(EventFD.drain(requests.number) == 0)
        _ = try bench.driver.attach(endpoint: 1, domain: 1)
        #expect(EventFD.drain(requests.number) == 1)
        #expect(bench.counters.interrupts == 2)
    }
}
