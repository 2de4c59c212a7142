import DeviceAccess
import DeviceMemory
import DeviceModel
import LinuxIO
import SoftDevice
import Testing

@Suite struct SoftDeviceTests {
    let log = ToyLog()
    let device: SoftDevice<ToyModel>

    init() throws {
        let environment = try DeviceEnvironment(for: ToyModel.description)
        device = SoftDevice(url: "soft:toy", environment: environment, model: ToyModel(environment: environment, log: log))
    }

    // MARK: Config space

    @Test func configSpaceReadsLittleEndian() throws {
        #expect(try device.readConfig(at: 0, byteCount: 2) == 0x8086)
        #expect(try device.readConfig(at: 0, byteCount: 1) == 0x86)
        #expect(try device.readConfig(at: 0, byteCount: 4) == 0x8086)
        #expect(try device.readRegion(7, at: 0, byteCount: 2) == 0x8086)
        #expect(device.url == "soft:toy")
    }

    @Test func aConfigWriteChangesWritableBitsOnlyAndTheModelHearsOfIt() throws {
        try device.writeConfig(0xffff_ffff, at: 4, byteCount: 4)
        try device.writeRegion(7, at: 0x3c, 0x0b, byteCount: 1)
        #expect(try device.readConfig(at: 4, byteCount: 4) == 0x07)
        #expect(try device.readConfig(at: 0x3c, byteCount: 1) == 0x0b)
        #expect(log.configWrites.map(\.offset) == [4, 0x3c])
        #expect(log.configWrites.map(\.byteCount) == [4, 1])
    }

    @Test func theModelHearsOfAConfigReadBeforeItIsAnswered() throws {
        #expect(try (0..<3).map { _ in try device.readConfig(at: 0x80, byteCount: 1) } == [1, 2, 3])
        _ = try device.readConfig(at: 0x7c, byteCount: 4)
        #expect(try device.readRegion(7, at: 0x80, byteCount: 1) == 4)
    }

    @Test(arguments: [(256, 1), (255, 2), (253, 4), (-1, 1), (0, 3), (0, 8), (0, 0), (Int.max, 4), (Int.min, 4)])
    func configAccessesOutsideAreRefused(offset: Int, byteCount: Int) {
        expectBadAccess { () throws(DeviceError) in _ = try device.readConfig(at: offset, byteCount: byteCount) }
        expectBadAccess { () throws(DeviceError) in try device.writeConfig(0, at: offset, byteCount: byteCount) }
        #expect(log.configWrites.isEmpty)
    }

    // MARK: Regions

    @Test func regionsTellTheirSizeAndWhatCanBeMapped() throws {
        #expect(try device.regionInfo(0) == RegionInfo(byteCount: 0x4000, mmappableAreas: [0x1000..<0x2000]))
        #expect(try device.regionInfo(1).byteCount == 0)
        #expect(try device.regionInfo(6) == RegionInfo(byteCount: 0, isReadable: false, isWritable: false))
        #expect(try device.regionInfo(7).byteCount == 256)
        for region in [-1, 8, 9] { expectBadAccess { () throws(DeviceError) in _ = try device.regionInfo(region) } }
    }

    @Test func trappedAccessesReachTheModel() throws {
        #expect(try device.readRegion(0, at: 0x10, byteCount: 4) == 0x34)
        #expect(try device.readRegion(0, at: 0x3ff8, byteCount: 8) == 0x3ff8 * 3 + 8)
        try device.writeRegion(0, at: 0x20, 0x1_2345, byteCount: 2)
        #expect(log.barWrites.count == 1)
        #expect(log.barWrites[0] == (0, 0x20, 0x1_2345, 2))
    }

    @Test(arguments: [1, 2, 4, 8]) func accessesInsideOfAMappedAreaAreThatMemory(byteCount: Int) throws {
        let area = try #require(try device.mapAreas(of: 0).first)
        try device.writeRegion(0, at: 0x1010, 0x1122_3344_5566_7788, byteCount: byteCount)
        let expected: UInt64 = 0x1122_3344_5566_7788 & (byteCount == 8 ? .max : 1 << (8 * UInt64(byteCount)) - 1)
        #expect(area.offset == 0x1000)
        #expect(area.window.byteCount == 0x1000)
        #expect(area.window.load64(at: 0x10) == expected)
        #expect(try device.readRegion(0, at: 0x1010, byteCount: byteCount) == expected)
        #expect(log.barWrites.isEmpty)
    }

    @Test(
        arguments: [
            (0, 0x4000, 1), (0, 0x3ffc, 8), (0, .max, 1), (0, .max - 7, 8), (0, 2, 4), (0, 0, 3), (0, 0, 0), (0, 0, 16), (1, 0, 4),
            (5, 0, 4),
            (6, 0, 4), (8, 0, 4), (-1, 0, 4), (7, 256, 4), (7, .max, 1),
        ] as [(Int, UInt64, Int)])
    func accessesOutsideOfARegionAreRefused(region: Int, offset: UInt64, byteCount: Int) {
        expectBadAccess { () throws(DeviceError) in _ = try device.readRegion(region, at: offset, byteCount: byteCount) }
        expectBadAccess { () throws(DeviceError) in try device.writeRegion(region, at: offset, 1, byteCount: byteCount) }
        #expect(log.barWrites.isEmpty)
    }

    @Test func aRegionWithoutAreasMapsNothing() throws {
        #expect(try device.mapAreas(of: 1).isEmpty)
        #expect(try device.mapAreas(of: 7).isEmpty)
        expectBadAccess { () throws(DeviceError) in _ = try device.mapAreas(of: 8) }
    }

    // MARK: Progress and reset

    @Test func aStepDoesTheWorkBehindAMappedDoorbell() throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        try device.map(memory, at: ToyModel.target, access: .readWrite)
        let doorbell = Doorbell(try #require(try device.mapAreas(of: 0).first).window, at: 0)
        let progress = try #require(device.progress)
        #expect(!progress.step())
        doorbell.ring(5)
        #expect(progress.step())
        #expect(memory.window.load64(at: 0) == 5)
        #expect(!progress.step())
    }

    @Test func armingAndDisarmingReachTheModel() {
        #expect(device.armWake() == 0)
        device.disarmWake()
        #expect(log.armed == 1 && log.disarmed == 1)
    }

    @Test func aResetRestoresPowerOnAndKeepsMappings() throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        try device.map(memory, at: ToyModel.target, access: .readWrite)
        try device.writeConfig(7, at: 4, byteCount: 2)
        let page = try #require(try device.mapAreas(of: 0).first).window
        page.store32(9, at: 0x20)
        try device.reset()
        #expect(log.resets == 1)
        #expect(try device.readConfig(at: 4, byteCount: 2) == 0)
        #expect(page.load32(at: 0x20) == 0)
        page.store32(2, at: 0)
        #expect(device.step())
        #expect(memory.window.load64(at: 0) == 2)
        try device.checkPresence()
    }

    @Test func theModelEndsWithItsDevice() throws {
        let log = ToyLog()
        do {
            let environment = try DeviceEnvironment(for: ToyModel.description)
            let short = SoftDevice(url: "soft:toy", environment: environment, model: ToyModel(environment: environment, log: log))
            #expect(!short.step())
            #expect(!log.ended)
        }
        #expect(log.ended)
    }

    private func expectBadAccess(_ body: () throws(DeviceError) -> Void, _ location: SourceLocation = #_sourceLocation) {
        do {
            try body()
            Issue.record("the access was accepted", sourceLocation: location)
        } catch {
            guard case .badAccess(let device, _, _, _, let reason) = error else {
                Issue.record("another error: \(error)", sourceLocation: location)
                return
            }
            #expect(device == "soft:toy" && !reason.isEmpty, sourceLocation: location)
        }
    }
}
