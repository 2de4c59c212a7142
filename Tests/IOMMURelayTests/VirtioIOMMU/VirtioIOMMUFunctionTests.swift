import DeviceMemory
import LinuxIO
import Testing

@testable import IOMMURelay

/// PCI, initialisation, the device configuration and resets.
@Suite struct VirtioIOMMUFunctionTests {
    @Test func itIsAModernIOMMUOnARootBus() throws {
        let bench = try IOMMUFunctionBench()
        #expect(bench.readConfig(at: 0, byteCount: 4) == 0x1057_1af4)
        #expect(bench.readConfig(at: 8, byteCount: 4) == 0x0806_0001)
        #expect(bench.readConfig(at: 0x3d, byteCount: 1) == 1)
        var at = Int(bench.readConfig(at: 0x34, byteCount: 1))
        var ids: Set<UInt64> = []
        while at != 0 {
            let id = bench.readConfig(at: at, byteCount: 1)
            ids.insert(id)
            // Root complex integrated endpoint: 9 in bits 7:4.
            if id == 0x10 { #expect(bench.readConfig(at: at + 2, byteCount: 2) == 0x91) }
            at = Int(bench.readConfig(at: at + 1, byteCount: 1))
        }
        #expect(ids == [0x01, 0x09, 0x10, 0x11])
        let function = VirtioIOMMUFunction.functionDescription()
        #expect(function.msixVectorCount == 3 && function.hasINTx && function.msiVectorCount == 0)
        // Notifications are trapped, so that they wake who hosts the function.
        #expect(function.bars[0]?.memoryAreas == [] && function.bars[0]?.notifyRegisters == [0x3000, 0x3004])
        #expect(!bench.wantsPolling)
    }

    @Test func aLinuxDriverInitialisesIt() throws {
        let bench = try IOMMUFunctionBench()
        try bench.driver.initialise()
        #expect(bench.driver.status == 15)
        // VERSION_1, EVENT_IDX, INDIRECT_DESC; INPUT_RANGE, DOMAIN_RANGE, MAP_UNMAP, PROBE, BYPASS_CONFIG; no ACCESS_PLATFORM.
        #expect(bench.driver.offered == 1 << 32 | 1 << 29 | 1 << 28 | 0x57)
        #expect(bench.driver.requests.size == 1024 && bench.driver.read(18, byteCount: 2) == 2)
        #expect(bench.driver.structures[4]?.byteCount == 40)
        #expect(!bench.wantsPolling)
        #expect(bench.handler.begun.isEmpty)
    }

    @Test func featuresThatWereNotOfferedAreRefused() throws {
        let bench = try IOMMUFunctionBench()
        try bench.driver.initialise()
        for wrong in [1 << 33 | 1 << 32, 1 << 32 | 1 << 34, 1 << 32 | 1 << 3, 0x57] as [UInt64] {
            bench.driver.writeStatus(0)
            bench.driver.writeStatus(3)
            for half in UInt64(0)..<2 {
                bench.driver.write(half, at: 8, byteCount: 4)
                bench.driver.write(wrong >> (32 * half) & 0xffff_ffff, at: 12, byteCount: 4)
            }
            bench.driver.writeStatus(11)
            #expect(bench.driver.status == 3, "\(String(wrong, radix: 16))")
        }
    }

    @Test func theConfigurationIsTheHandlers() throws {
        let handler = ScriptedIOMMUHandler()
        handler.configuration = IOMMUConfiguration(
            pageSizeMask: 0x4020_1000, inputRange: 0x1000...0xffff_ffff_ffff, domainRange: 1...99, probeByteCount: 64)
        handler.bypassesUnattached = false
        let bench = try IOMMUFunctionBench.running(handler)
        let driver = try #require(bench.driver)
        #expect(driver.configuration(0, byteCount: 8) == 0x4020_1000)
        #expect(driver.configuration(8, byteCount: 8) == 0x1000 && driver.configuration(16, byteCount: 8) == 0xffff_ffff_ffff)
        #expect(driver.configuration(24, byteCount: 4) == 1 && driver.configuration(28, byteCount: 4) == 99)
        #expect(driver.configuration(32, byteCount: 4) == 64 && driver.configuration(36, byteCount: 1) == 0)
        #expect(driver.configuration(37, byteCount: 1) == 0)
        let generation = driver.generation
        handler.configuration.pageSizeMask = 0x1000
        #expect(driver.configuration(0, byteCount: 8) == 0x1000)
        #expect(driver.generation == (generation + 1) & 0xff)
        #expect(driver.configuration(0, byteCount: 4) == 0x1000 && driver.generation == (generation + 1) & 0xff)
    }

    @Test func onlyBypassCanBeWrittenAndOnlyZeroOrOne() throws {
        let bench = try IOMMUFunctionBench.running()
        let driver = try #require(bench.driver)
        #expect(driver.configuration(36, byteCount: 1) == 1)
        for value in [2, 3, 0x80, 0xff] as [UInt64] { driver.writeConfiguration(value, at: 36, byteCount: 1) }
        #expect(bench.handler.bypassesUnattached)
        driver.writeConfiguration(0, at: 36, byteCount: 1)
        #expect(driver.configuration(36, byteCount: 1) == 0 && !bench.handler.bypassesUnattached)
        for value in [2, 3, 0x80, 0xff] as [UInt64] { driver.writeConfiguration(value, at: 36, byteCount: 1) }
        #expect(!bench.handler.bypassesUnattached)
        driver.writeConfiguration(1, at: 36, byteCount: 4)
        driver.writeConfiguration(1, at: 35, byteCount: 2)
        #expect(!bench.handler.bypassesUnattached)
        let before = bench.handler.configuration
        for offset in UInt64(0)..<40 where offset != 36 { driver.writeConfiguration(0xff, at: offset, byteCount: 1) }
        #expect(bench.handler.configuration == before && driver.configuration(0, byteCount: 8) == before.pageSizeMask)
    }

    @Test func bypassOutlivesADeviceResetButNotASystemReset() throws {
        let bench = try IOMMUFunctionBench.running()
        let driver = try #require(bench.driver)
        driver.writeConfiguration(0, at: 36, byteCount: 1)
        let resets = bench.handler.resets
        driver.reset()
        #expect(!bench.handler.bypassesUnattached && bench.handler.resets == resets + 1)
        // Without the feature nobody may write it.
        try driver.initialise(wanting: GuestIOMMUDriver.linuxFeatures & ~(1 << 6))
        driver.writeConfiguration(1, at: 36, byteCount: 1)
        #expect(!bench.handler.bypassesUnattached)
        bench.systemReset()
        #expect(bench.handler.bypassesUnattached && bench.handler.resets == resets + 3)
    }

    @Test func aFunctionLevelResetIsADeviceReset() throws {
        let bench = try IOMMUFunctionBench.running()
        let driver = try #require(bench.driver)
        driver.writeConfiguration(0, at: 36, byteCount: 1)
        let resets = bench.handler.resets
        bench.writeConfig(at: 0xb8, 0x8000, byteCount: 2)
        #expect(driver.status == 0 && bench.handler.resets == resets + 1 && !bench.handler.bypassesUnattached)
        #expect(!bench.environment.isBusMaster)
        bench.writeConfig(at: 4, 6, byteCount: 2)
        try driver.initialise()
        #expect(try driver.attach(endpoint: 1, domain: 1) == 0)
    }

    @Test func withoutBusMasterNothingIsTouched() throws {
        let bench = try IOMMUFunctionBench.running()
        bench.worksByItself = false
        bench.writeConfig(at: 4, 2, byteCount: 2)
        #expect(bench.driver.put(GuestIOMMURequest.detach(endpoint: 1, domain: 1), 4, slot: 0) != nil)
        bench.driver.requests.publish()
        #expect(!bench.step() && bench.driver.requests.usedIndex == 0)
        bench.writeConfig(at: 4, 6, byteCount: 2)
        #expect(bench.step() && bench.driver.requests.usedIndex == 1)
    }

    /// A BIOS without memory mappings: the window in config space does all.
    @Test func theConfigAccessCapabilityReachesTheDeviceConfiguration() throws {
        let bench = try IOMMUFunctionBench.running()
        bench.writeConfig(at: 0x98, 0, byteCount: 1)
        bench.writeConfig(at: 0x9c, 0x2024, byteCount: 4)
        bench.writeConfig(at: 0xa0, 1, byteCount: 4)
        #expect(bench.readConfig(at: 0xa4, byteCount: 1) == 1)
        bench.writeConfig(at: 0xa4, 0, byteCount: 1)
        #expect(!bench.handler.bypassesUnattached && bench.readConfig(at: 0xa4, byteCount: 1) == 0)
    }
}
