import DeviceMemory
import LinuxIO
import NicRegisters
import Testing

@testable import NicModels

@Suite struct VirtioNetModelInterruptTests {
    private static let event = VirtioBench.usual.union(.eventIndex)

    private func running(packed: Bool, features: VirtioFeatures = VirtioBench.usual) throws -> VirtioBench {
        let bench = try VirtioBench(packed: packed, features: features)
        try #require(bench.negotiate())
        for index in 0..<3 { bench.setUpQueue(index, vector: UInt16(index)) }
        bench.write(3, to: Virtio.Common.configVector)
        bench.writeStatus(15)
        return bench
    }

    @Test(arguments: [false, true])
    func eachQueueSignalsItsVectorOnceABatch(packed: Bool) throws {
        let bench = try running(packed: packed)
        let lines = try [bench.connect(.msix, 0), bench.connect(.msix, 1)]
        bench.giveBuffers(4)
        for _ in 0..<3 { try bench.arrive(frame()) }
        bench.step()
        #expect(lines.map { $0.signals() } == [1, 0])
        for number in 8..<12 { bench.send(frame(byteCount: 60), buffer: number) }
        bench.step()
        #expect(lines.map { $0.signals() } == [0, 1])
        #expect(bench.counters.interrupts == 2)
    }

    @Test func aQueueWithoutAVectorIsSilentWhenMSIXIsOn() throws {
        let bench = try running(packed: false)
        let intx = try bench.connect(.intx, 0)
        bench.writeConfig(0x42, [0x03, 0x80])
        bench.write(1, to: Virtio.Common.queueSelect)
        bench.write(Virtio.noVector, to: Virtio.Common.queueVector)
        bench.send(frame(byteCount: 60))
        bench.step()
        #expect(bench.counters.interrupts == 0)
        #expect(intx.signals() == 0)
        #expect(bench.bar(0x1000, 1) == 0)
    }

    @Test func withoutMSIXTheStatusByteSaysWhyAndAReadClearsIt() throws {
        let bench = try running(packed: false)
        let intx = try bench.connect(.intx, 0)
        bench.send(frame(byteCount: 60))
        bench.step()
        #expect(intx.signals() == 1)
        #expect(bench.environment.config[6] & 8 == 8)
        // Asserted already: no second edge.
        bench.send(frame(byteCount: 60))
        bench.step()
        #expect(intx.signals() == 0)
        #expect(bench.bar(0x1000, 1) == 1)
        #expect(bench.bar(0x1000, 1) == 0)
        #expect(bench.environment.config[6] & 8 == 0)
        #expect(bench.environment.interrupts.setMasked(.intx, vector: 0, false))
        bench.send(frame(byteCount: 60))
        bench.step()
        #expect(intx.signals() == 1)
        // Command register bit 10.
        _ = bench.model.readRegion(0, at: 0x1000, byteCount: 1)
        bench.setCommand(0x0406)
        bench.send(frame(byteCount: 60))
        bench.step()
        #expect(intx.signals() == 0)
    }

    @Test func aDriverThatWantsNoInterruptGetsNone() throws {
        for packed in [false, true] {
            let bench = try running(packed: packed)
            let line = try bench.connect(.msix, 1)
            // VRING_AVAIL_F_NO_INTERRUPT, and RING_EVENT_FLAGS_DISABLE.
            if packed {
                bench.memory.window.store32(1 << 16, at: bench.transmit.driver)
            } else {
                bench.memory.window.store16(1, at: bench.transmit.driver)
            }
            bench.send(frame(byteCount: 60))
            bench.step()
            #expect(line.signals() == 0)
            #expect(bench.transmit.takeUsed().count == 1)
        }
    }

    /// "If the idx field in the used ring was equal to used_event, the device MUST send a notification."
    @Test func ofASplitRingTheEventIndexDecides() throws {
        let bench = try running(packed: false, features: Self.event)
        let line = try bench.connect(.msix, 1)
        // The lower bit of flags is ignored.
        bench.memory.window.store16(1, at: bench.transmit.driver)
        var signals: [UInt64] = []
        for event in [0, 0, 5, 5, 5, 5, 7, 7, 7] as [UInt16] {
            bench.memory.window.store16(event, at: bench.transmit.driver + 4 + 2 * 16)
            bench.send(frame(byteCount: 60))
            bench.step()
            signals.append(line.signals())
        }
        #expect(signals == [1, 0, 0, 0, 0, 1, 0, 1, 0])
    }

    @Test func aBatchThatPassesTheEventIndexSignalsOnce() throws {
        let bench = try running(packed: false, features: Self.event)
        let line = try bench.connect(.msix, 1)
        bench.memory.window.store16(3, at: bench.transmit.driver + 4 + 2 * 16)
        for number in 8..<14 { bench.send(frame(byteCount: 60), buffer: number) }
        bench.step()
        #expect(line.signals() == 1)
    }

    /// Place and wrap counter of the awaited descriptor, through several rounds of a ring of 16.
    @Test func ofAPackedRingTheAwaitedDescriptorDecides() throws {
        let bench = try running(packed: true, features: Self.event)
        let line = try bench.connect(.msix, 1)
        var signalled: [Int] = []
        let awaited: [(place: UInt32, wrap: UInt32, number: Int)] = [(3, 1, 3), (15, 1, 15), (0, 0, 16), (7, 0, 23), (2, 1, 34)]
        var next = 0
        for number in 0..<40 {
            if next < awaited.count {
                bench.memory.window.store32(awaited[next].place | awaited[next].wrap << 15 | 2 << 16, at: bench.transmit.driver)
            }
            bench.send(frame(byteCount: 60))
            bench.step()
            _ = bench.transmit.takeUsed()
            if line.signals() == 1 {
                signalled.append(number)
                next += 1
            }
        }
        #expect(signalled == awaited.map(\.number))
    }

    @Test func aBatchThatPassesTheAwaitedDescriptorBeyondTheRingsEndSignals() throws {
        let bench = try running(packed: true, features: Self.event)
        let line = try bench.connect(.msix, 1)
        bench.memory.window.store32(1 << 16, at: bench.transmit.driver)
        for _ in 0..<14 { bench.send(frame(byteCount: 60)) }
        bench.step()
        _ = bench.transmit.takeUsed()
        // Place 1 of the next round; the batch takes 14, 15, 0, 1, 2.
        bench.memory.window.store32(1 | 2 << 16, at: bench.transmit.driver)
        for _ in 0..<5 { bench.send(frame(byteCount: 60)) }
        bench.step()
        #expect(line.signals() == 1)
    }

    @Test func aLostCarrierIsAConfigurationChange() throws {
        let bench = try running(packed: false)
        let line = try bench.connect(.msix, 3)
        bench.step(64)
        #expect(line.signals() == 0)
        bench.wire.disconnect()
        bench.step(64)
        #expect(line.signals() == 1)
        #expect(bench.device(VirtioNet.Config.status) == [])
        // The bit is set with MSI-X, too.
        #expect(bench.bar(0x1000, 1) == 2)
    }

    @Test func anAnnouncementIsAskedForOnceAndAcknowledged() throws {
        let bench = try running(packed: false, features: VirtioBench.usual.union(.guestAnnounce))
        let line = try bench.connect(.msix, 3)
        #expect(bench.requestAnnouncement())
        #expect(line.signals() == 1)
        #expect(bench.device(VirtioNet.Config.status) == [.linkUp, .announce])
        #expect(bench.command(.acknowledgeAnnouncement, []) == .ok)
        #expect(bench.device(VirtioNet.Config.status) == .linkUp)
        let without = try running(packed: false)
        #expect(!without.requestAnnouncement())
    }

    @Test func withoutBusMasterNoInterruptIsSent() throws {
        let bench = try running(packed: false)
        let line = try bench.connect(.msix, 3)
        bench.setCommand(0x0002)
        bench.wire.disconnect()
        bench.step(64)
        #expect(line.signals() == 0)
    }

    // MARK: Notifications to the device

    @Test(arguments: [false, true])
    func notificationsAreAskedForOnlyBeforeTheHostSleeps(packed: Bool) throws {
        let bench = try running(packed: packed)
        func wantsNotification() -> Bool {
            packed
                ? bench.memory.window.load32(at: bench.transmit.device) >> 16 == 0
                : bench.memory.window.load16(at: bench.transmit.device) == 0
        }
        #expect(wantsNotification())
        _ = bench.model.armWake()
        #expect(wantsNotification())
        bench.model.disarmWake()
        #expect(!wantsNotification())
        _ = bench.model.armWake()
        #expect(wantsNotification())
    }

    /// Whatever the driver adds after the host has armed is due; what it added before is seen by the look after arming.
    @Test func theAvailableEventIsWhereTheDriverStandsWhenTheHostSleeps() throws {
        let bench = try running(packed: false, features: Self.event)
        for _ in 0..<3 { bench.send(frame(byteCount: 60)) }
        bench.step()
        bench.send(frame(byteCount: 60))
        _ = bench.model.armWake()
        #expect(bench.memory.window.load16(at: bench.transmit.device + 4 + 8 * 16) == 4)
        #expect(bench.step())
        #expect(Virtio.isEventDue(4, old: 4, new: 5))
    }
}
