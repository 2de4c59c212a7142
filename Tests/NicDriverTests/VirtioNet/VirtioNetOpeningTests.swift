import DeviceAccess
import NicDriver
import NicRegisters
import Testing

/// Opening a function, and what is refused.
struct VirtioNetOpeningTests {
    @Test(arguments: [false, true]) func onlyFeaturesThatAreUnderstoodAreAccepted(isPacked: Bool) throws {
        let bench = try VirtioNetBench(isPacked: isPacked)
        let port = try bench.open()
        var expected: VirtioFeatures = [
            .version1, .accessPlatform, .mac, .status, .mergeableBuffers, .checksum, .guestChecksum, .controlQueue, .controlReceive,
        ]
        if isPacked { expected.insert(.ringPacked) }
        #expect(bench.device.accepted == expected.rawValue)
        #expect(bench.device.status == 0x0f && bench.device.isBusMaster && bench.device.isINTxDisabled)
        #expect(bench.device.queues.map(\.isEnabled).prefix(4) == [true, true, true, false])
        #expect(port.macAddress.description == "02:00:00:00:00:01")
        try port.stop()
        #expect(bench.device.status == 0 && !bench.device.isBusMaster && bench.device.dma.count == 0)
    }

    @Test func theCapabilitiesAreTheDevices() throws {
        var bench = try VirtioNetBench(isPacked: false)
        bench.device.features.insert(.mtu)
        #expect(
            try bench.open().capabilities
                == PortCapabilities(
                    longestFrameByteCount: 1514, queuePairCount: 4, furtherUnicastCount: 64, insertsChecksums: true,
                    verifiesChecksums: false))
        bench.options.maximumFrameByteCount = 1515
        bench.expectRefusal("takes 1514")
        bench.options.maximumFrameByteCount = 1514
        bench.options.queuePairCount = 5
        bench.expectRefusal("has 4")
    }

    @Test(arguments: [
        (VirtioFeatures.version1, "disable-legacy=on"), (.accessPlatform, "iommu_platform=on"), (.mac, "mac="),
    ])
    func aFeatureThatIsNeededAndNotOfferedIsRefusedWithTheFix(feature: VirtioFeatures, fix: String) throws {
        let bench = try VirtioNetBench(isPacked: true)
        bench.device.features.remove(feature)
        bench.expectRefusal(fix)
        #expect(bench.device.status == 0)
    }

    @Test func featuresThatTheDeviceRefusesAreAnError() throws {
        let bench = try VirtioNetBench(isPacked: true)
        bench.device.refusesFeatures = true
        bench.expectRefusal("refuses the features")
    }

    @Test func aResetThatNeverEndsIsATimeOutThatNamesTheRegister() throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.setStatus(4)
        bench.device.neverResets = true
        bench.expectRefusal("device_status")
    }

    @Test func aDeviceThatAsksForAResetGetsOne() throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.setStatus(0x4f)
        try bench.open().checkHealth()
    }

    @Test func allOnesIsADeviceThatIsGone() throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.statusReadsAs = 0xff
        bench.expectRefusal("all-ones")
    }

    @Test(arguments: [[UInt8](repeating: 0, count: 6), [1, 0, 0, 0, 0, 1]]) func anAddressThatIsNoStationsIsRefused(bytes: [UInt8]) throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.netConfig.replaceSubrange(0..<6, with: bytes)
        bench.expectRefusal("no unicast address")
    }

    @Test func aQueueThatIsNotThereIsRefused() throws {
        for queue in 0..<3 {
            let bench = try VirtioNetBench(isPacked: false)
            bench.device.queues[queue].size = 0
            bench.expectRefusal("queue \(queue) has room for 0")
        }
    }

    @Test func aQueueIsAsLargeAsTheDeviceHasRoomFor() throws {
        let bench = try VirtioNetBench(isPacked: true)
        bench.device.queues[0].size = 63
        bench.device.queues[1].size = 32768
        let port = try bench.open()
        #expect(bench.receiveQueue.size == 32 && bench.transmitQueue.size == 64)
        for id in 0..<32 { bench.receiveQueue.receive(id, length: 60) }
        #expect(port.receivedLengths().count == 32)
    }

    @Test func aLinkThatNeverComesUpIsABoundedWait() throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.netConfig[6] = 0
        bench.expectRefusal("no link within 30 ms")
    }

    @Test func withoutTheStatusFieldTheLinkIsUp() throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.netConfig[6] = 0
        bench.device.features.remove(.status)
        #expect(try bench.open().linkIsUp)
    }

    @Test func aVectorThatTheDeviceDoesNotTakeIsRefused() throws {
        var bench = try VirtioNetBench(isPacked: false)
        bench.options.wait = .interrupt
        bench.device.refusesVectors = true
        bench.expectRefusal("vectors=")
    }

    @Test(arguments: [0, 1, 2]) func aMappingThatIsRefusedLeavesNothingMapped(which: Int) throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.refusedMapping = which
        bench.expectRefusal("the test refuses")
        #expect(!bench.device.isBusMaster)
    }

    // Capabilities.

    @Test func aCapabilityListThatRunsInACircleEnds() throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.config[0x71] = 0x40
        _ = try bench.open()
        bench.device.config[0x41] = 0x40
        bench.expectRefusal("no usable virtio 1 structure 'notifications'")
    }

    @Test func aFunctionWithoutCapabilitiesIsALegacyOne() throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.config[0x06] = 0
        bench.expectRefusal("legacy")
    }

    @Test(arguments: [
        (UInt8(6), UInt32(0), UInt32(64)), (4, 2, 64), (4, 0, 55), (4, 0x3fe0, 64), (4, 0xffff_fffc, 0xffff_ffff), (3, 0, 64),
    ])
    func aStructureThatIsNotInsideItsBarIsPassedOver(bar: UInt8, offset: UInt32, length: UInt32) throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.put(capability: .common, at: 0x40, next: 0x50, bar: bar, offset: offset, length: length)
        bench.expectRefusal("no usable virtio 1 structure 'common'")
        // A second, good one is taken instead.
        bench.device.config[0x71] = 0x90
        bench.device.put(capability: .common, at: 0x90, next: 0, offset: 0, length: 64)
        _ = try bench.open()
    }

    @Test(arguments: [(UInt16(0x400), UInt32(4)), (0xffff, 0xffff_ffff), (1, 1)])
    func aNotificationAddressOutsideOfItsStructureIsRefused(offset: UInt16, multiplier: UInt32) throws {
        let bench = try VirtioNetBench(isPacked: false)
        bench.device.put(
            capability: .notifications, at: 0x70, next: 0, offset: UInt32(ScriptedVirtioNet.notifyAt), length: 0x1000,
            multiplier: multiplier)
        bench.device.queues[1].notifyOffset = offset
        bench.expectRefusal("notification address of queue 1")
    }
}
