import DeviceMemory
import NicRegisters
import Testing

@testable import NicModels

/// Status, features and queues in the common configuration.
@Suite struct VirtioNetModelStatusTests {
    private static let every: VirtioFeatures = [
        .version1, .accessPlatform, .eventIndex, .indirectDescriptors, .ringReset, .checksum, .guestChecksum, .mtu, .mac, .mergeableBuffers,
        .status, .controlQueue, .controlReceive, .controlReceiveExtra, .guestAnnounce, .controlMACAddress, .speedDuplex,
    ]

    @Test func whatIsOfferedFollowsFromTheOptions() throws {
        #expect(try VirtioBench().offered == Self.every)
        #expect(try VirtioBench(packed: true).offered == Self.every.union(.ringPacked))
        let many = try VirtioBench(options: VirtioNetOptions(pairs: 4))
        #expect(many.offered == Self.every.union([.multiqueue, .rss]))
        #expect(many.offered.isConsistent)
        // "It will present 0 for any other select."
        many.write(2, to: Virtio.Common.deviceFeatureSelect)
        #expect(many.read(Virtio.Common.deviceFeature) == 0)
    }

    @Test(arguments: [
        VirtioBench.usual.subtracting(.version1), VirtioBench.usual.subtracting(.accessPlatform), VirtioBench.usual.union(.hostTSO4),
        VirtioBench.usual.union(.ringPacked), VirtioBench.usual.union([.controlReceive]).subtracting(.controlQueue),
        VirtioFeatures(rawValue: .max), [],
    ])
    func unknownMissingAndLonelyFeaturesAreRefused(features: VirtioFeatures) throws {
        let bench = try VirtioBench()
        #expect(!bench.negotiate(features))
        // What was refused may not run.
        bench.writeStatus(15)
        #expect(bench.status == [.acknowledge, .driver])
        // A reset, and another try.
        #expect(bench.negotiate(VirtioBench.usual))
    }

    @Test func statusBitsComeInOrderAndOnlyAResetTakesThem() throws {
        let bench = try VirtioBench()
        bench.writeStatus(8)
        #expect(bench.status.isEmpty)
        bench.writeStatus(4)
        #expect(bench.status.isEmpty)
        bench.writeStatus(1)
        bench.writeStatus(2)
        #expect(bench.status == [.acknowledge, .driver])
        bench.writeStatus(0x40)
        #expect(bench.status == [.acknowledge, .driver])
        bench.writeStatus(0x80)
        #expect(bench.status == [.acknowledge, .driver, .failed])
        bench.writeStatus(0)
        #expect(bench.status.isEmpty)
    }

    @Test func featuresAreFixedOnceTheyAreOK() throws {
        let bench = try VirtioBench()
        try #require(bench.negotiate())
        bench.write(0, to: Virtio.Common.driverFeatureSelect)
        bench.write(0, to: Virtio.Common.driverFeature)
        #expect(bench.read(Virtio.Common.driverFeature) == UInt32(truncatingIfNeeded: VirtioBench.usual.rawValue))
        bench.write(1, to: Virtio.Common.driverFeatureSelect)
        #expect(bench.read(Virtio.Common.driverFeature) == 3)
    }

    @Test func beforeDriverOKNoRingIsTouched() throws {
        let bench = try VirtioBench()
        try #require(bench.negotiate())
        for index in 0..<3 { bench.setUpQueue(index) }
        bench.send(frame(byteCount: 60))
        #expect(!bench.step(3))
        #expect(!bench.wantsPolling)
        bench.writeStatus(15)
        #expect(bench.wantsPolling)
        #expect(bench.step())
        #expect(bench.sent().count == 1)
    }

    @Test func valuesAfterResetAreTheSpecifications() throws {
        let bench = try VirtioBench.running()
        bench.write(3, to: Virtio.Common.configVector)
        bench.writeStatus(0)
        #expect(bench.status.isEmpty)
        #expect(bench.read(Virtio.Common.configVector) == Virtio.noVector)
        for index in UInt16(0)..<3 {
            bench.write(index, to: Virtio.Common.queueSelect)
            #expect(bench.read(Virtio.Common.queueSize) == 256)
            #expect(bench.read(Virtio.Common.queueVector) == Virtio.noVector)
            #expect(bench.read(Virtio.Common.queueEnable) == 0)
            #expect(bench.read(Virtio.Common.queueDescriptors) == 0)
            #expect(bench.read(Virtio.Common.queueNotifyOffset) == index)
        }
        bench.write(1, to: Virtio.Common.driverFeatureSelect)
        #expect(bench.read(Virtio.Common.driverFeature) == 0)
    }

    @Test(arguments: [false, true])
    func aResetWithWorkUnderWayTouchesNoMemoryAfterIt(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed)
        bench.giveBuffers(8)
        for number in 8..<12 { bench.send(frame(byteCount: 60), buffer: number) }
        try bench.arrive(frame())
        bench.writeStatus(0)
        let before = bench.memory.window.bytes(at: 0, byteCount: VirtioBench.memoryByteCount)
        bench.step(3)
        #expect(bench.memory.window.bytes(at: 0, byteCount: VirtioBench.memoryByteCount) == before)
        #expect(bench.sent().isEmpty)
        // And from the start again.
        try #require(bench.negotiate())
        for index in 0..<3 { bench.setUpQueue(index) }
        bench.writeStatus(15)
        bench.send(frame(byteCount: 64))
        bench.step()
        #expect(bench.sent() == [frame(byteCount: 64)])
    }

    @Test func aQueueThatIsNotThereHasNoSizeAndTakesNothing() throws {
        let bench = try VirtioBench(options: VirtioNetOptions(pairs: 4))
        for index in UInt16(0)..<9 {
            bench.write(index, to: Virtio.Common.queueSelect)
            #expect(bench.read(Virtio.Common.queueSize) == 256)
        }
        for index in [9, 100, 0xffff] as [UInt16] {
            bench.write(index, to: Virtio.Common.queueSelect)
            #expect(bench.read(Virtio.Common.queueSize) == 0)
            bench.write(1, to: Virtio.Common.queueEnable)
            bench.write(0x1000, to: Virtio.Common.queueDescriptors)
            #expect(bench.read(Virtio.Common.queueEnable) == 0)
        }
        // One pair negotiated: the control queue is number 2, and the last.
        try #require(bench.negotiate(VirtioBench.usual))
        bench.write(2, to: Virtio.Common.queueSelect)
        #expect(bench.read(Virtio.Common.queueSize) == 256)
        bench.write(3, to: Virtio.Common.queueSelect)
        #expect(bench.read(Virtio.Common.queueSize) == 0)
    }

    @Test func sizesAreAPowerOfTwoForSplitRingsAndNoneIsZero() throws {
        for (packed, expected) in [(false, 256), (true, 100)] as [(Bool, UInt16)] {
            let bench = try VirtioBench(packed: packed)
            try #require(bench.negotiate())
            for value in [0, 257, 512, 100] as [UInt16] { bench.write(value, to: Virtio.Common.queueSize) }
            #expect(bench.read(Virtio.Common.queueSize) == expected)
        }
    }

    /// A packed ring need not be a power of two.
    @Test func aPackedRingOfAnySizeGoesRound() throws {
        let bench = try VirtioBench.running(packed: true, size: 11)
        for number in 0..<50 {
            bench.send(frame(byteCount: 60, first: UInt8(number)))
            bench.step()
            #expect(bench.sent() == [frame(byteCount: 60, first: UInt8(number))])
            #expect(bench.transmit.takeUsed().count == 1)
        }
    }

    @Test func anEnabledQueueKeepsItsAddressesAndStaysEnabled() throws {
        let bench = try VirtioBench.running()
        bench.write(1, to: Virtio.Common.queueSelect)
        bench.write(0xdead_0000, to: Virtio.Common.queueDescriptors)
        bench.write(8, to: Virtio.Common.queueSize)
        bench.write(0, to: Virtio.Common.queueEnable)
        #expect(bench.read(Virtio.Common.queueDescriptors) == bench.iova(bench.queueArea(1)))
        #expect(bench.read(Virtio.Common.queueSize) == 16)
        #expect(bench.read(Virtio.Common.queueEnable) == 1)
    }

    @Test func vectorsThatDoNotExistReadAsNone() throws {
        let bench = try VirtioBench()
        bench.write(3, to: Virtio.Common.configVector)
        #expect(bench.read(Virtio.Common.configVector) == 3)
        bench.write(4, to: Virtio.Common.configVector)
        #expect(bench.read(Virtio.Common.configVector) == Virtio.noVector)
        bench.write(0, to: Virtio.Common.queueSelect)
        bench.write(0x7ff, to: Virtio.Common.queueVector)
        #expect(bench.read(Virtio.Common.queueVector) == Virtio.noVector)
    }

    @Test(arguments: [false, true])
    func oneQueueIsResetAloneAndGoesOnElsewhere(packed: Bool) throws {
        let bench = try VirtioBench.running(packed: packed, features: VirtioBench.usual.union(.ringReset))
        bench.send(frame(byteCount: 60))
        bench.step()
        bench.write(1, to: Virtio.Common.queueSelect)
        bench.write(1, to: Virtio.Common.queueReset)
        #expect(bench.read(Virtio.Common.queueReset) == 0)
        #expect(bench.read(Virtio.Common.queueEnable) == 0)
        bench.send(frame(byteCount: 60))
        #expect(!bench.step())
        bench.setUpQueue(1, size: 8)
        bench.send(frame(byteCount: 77))
        bench.step()
        #expect(bench.sent() == [frame(byteCount: 60), frame(byteCount: 77)])
        // Without the feature the field is not there.
        let without = try VirtioBench.running()
        without.write(1, to: Virtio.Common.queueSelect)
        without.write(1, to: Virtio.Common.queueReset)
        #expect(without.read(Virtio.Common.queueEnable) == 1)
    }

    @Test func theConfigurationSaysWhatTheDeviceIs() throws {
        let bench = try VirtioBench(options: VirtioNetOptions(pairs: 8, mtu: 4000))
        let address = (0..<6).map { UInt8(truncatingIfNeeded: bench.model.readRegion(0, at: UInt64(0x2000 + $0), byteCount: 1)) }
        #expect(address == addressBytes(VirtioBench.address))
        #expect(bench.device(VirtioNet.Config.status) == .linkUp)
        #expect(bench.device(VirtioNet.Config.maximumPairs) == 8)
        #expect(bench.device(VirtioNet.Config.mtu) == 4000)
        #expect(bench.device(VirtioNet.Config.speed) == 1000 && bench.device(VirtioNet.Config.duplex) == 1)
        #expect(bench.device(VirtioNet.Config.rssKeyByteCount) == 40 && bench.device(VirtioNet.Config.rssTableCount) == 128)
        #expect(bench.device(VirtioNet.Config.hashTypes).rawValue == 0x3f)
        // Read-only, and nothing behind its end.
        bench.model.writeRegion(0, at: 0x2000, .max, byteCount: 4)
        #expect(bench.bar(0x2000, 1) == 0x02)
        #expect(bench.bar(0x2014, 8) == 0x3f)
    }

    @Test func aChangeIsSeenByANewGeneration() throws {
        let bench = try VirtioBench.running()
        _ = bench.device(VirtioNet.Config.status)
        let before = bench.read(Virtio.Common.configGeneration)
        _ = bench.device(VirtioNet.Config.status)
        #expect(bench.read(Virtio.Common.configGeneration) == before)
        bench.wire.disconnect()
        bench.step(64)
        #expect(bench.device(VirtioNet.Config.status) == [])
        #expect(bench.read(Virtio.Common.configGeneration) == before &+ 1)
    }

    @Test(arguments: [(20, 2), (22, 4), (32, 1), (36, 2), (24, 1), (56, 8), (60, 4), (0x3fff, 8), (19, 2)])
    func accessesOfAnotherWidthOrPlaceDoNothing(offset: UInt64, byteCount: Int) throws {
        let bench = try VirtioBench()
        let before = (0..<60).map { bench.model.readRegion(0, at: $0, byteCount: 1) }
        bench.model.writeRegion(0, at: offset, .max, byteCount: byteCount)
        _ = bench.model.readRegion(0, at: offset, byteCount: byteCount)
        #expect((0..<60).map { bench.bar($0, 1) } == before)
    }
}
