import DeviceModel
import LinuxIO
import Testing

@testable import HostBack

@Suite("A host's PCI function that is given on") struct PassthroughFunctionTests {
    let host: ScriptedFunction
    init() throws { host = try ScriptedFunction() }

    @Test func itLooksAsTheKernelShowsIt() throws {
        let function = try PassthroughFunction(host)
        let description = function.function
        #expect(description.config == host.config)
        #expect(description.bars.map { $0?.byteCount } == [0x4000, nil, 32, nil, 2048, nil])
        #expect(description.bars[2]?.isIO == true && description.bars[0]?.isIO == false)
        // Half a page is mapped by nobody.
        #expect(description.bars[4]?.memoryAreas.isEmpty == true)
        #expect(description.msixVectorCount == 3 && description.msiVectorCount == 0 && description.hasINTx)
    }

    @Test func areasLieInTheDevicesFile() throws {
        let function = try PassthroughFunction(host)
        let areas = try #require(function.environment.mappableAreas(of: 0))
        #expect(areas.ranges == [0..<0x1000, 0x2000..<0x4000] && areas.fileOffset == 0x1_0000)
        #expect(function.environment.mappableAreas(of: 4) == nil)
        #expect(try FileFacts(of: try #require(function.environment.areaFileDescriptor(of: 0))).inode == host.inode)
        // This process has none of them mapped: an access by message is one of the host's.
        #expect(function.environment.memoryAreas(of: 0).isEmpty)
    }

    @Test func configSpaceIsTheKernels() throws {
        var function = try PassthroughFunction(host)
        _ = host.takeLog()
        host.config[6] = 0x10
        function.configWillBeRead(at: 5, byteCount: 6)
        #expect(function.environment.config[6] == 0x10)
        #expect(host.takeLog() == ["read config 5 1", "read config 6 2", "read config 8 2", "read config 10 1"])

        function.environment.writeConfig(at: 4, bytes: [0x06, 0x04])
        function.configWritten(at: 4, byteCount: 2)
        #expect(host.takeLog() == ["write config 4 2 1030"])
        // What the kernel does not take is not there when it is read.
        function.environment.writeConfig(at: 0, bytes: [1, 2])
        function.configWritten(at: 0, byteCount: 2)
        function.configWillBeRead(at: 0, byteCount: 2)
        #expect(Array(function.environment.config[0..<2]) == [0x86, 0x80])
        // Numbers of a client reach no trap.
        for (offset, count) in [(254, 9), (256, 4), (-1, 4), (Int.max, 4), (0, Int.max)] {
            function.configWillBeRead(at: offset, byteCount: count)
            function.configWritten(at: offset, byteCount: count)
        }
    }

    @Test func trappedRegistersAreTheHosts() throws {
        var function = try PassthroughFunction(host)
        _ = host.takeLog()
        #expect(function.readRegion(0, at: 0x1004, byteCount: 4) == 0x1122_3344)
        function.writeRegion(2, at: 8, 7, byteCount: 2)
        #expect(host.takeLog() == ["read 0 4100 4", "write 2 8 2 7"])
        host.refusesAccesses = true
        #expect(function.readRegion(0, at: 0x1004, byteCount: 4) == 0xffff_ffff)
        #expect(function.readRegion(0, at: 0x1008, byteCount: 8) == .max)
        function.configWillBeRead(at: 0, byteCount: 4)
        #expect(Array(function.environment.config[0..<4]) == [255, 255, 255, 255])
        #expect(function.failedAccesses == 3)
    }

    @Test func eventfdsGoToTheDevice() throws {
        let function = try PassthroughFunction(host)
        let lines = function.environment.interrupts
        _ = host.takeLog()
        _ = lines.set(.msix, vector: 1, event: try EventFD())
        #expect(lines.handOver(.msix))
        #expect(host.takeLog() == ["msix - fd"])
        _ = lines.set(.msix, vector: 1, event: nil)
        #expect(lines.handOver(.msix))
        #expect(host.takeLog() == ["msix off"])
        _ = lines.set(.intx, vector: 0, event: try EventFD())
        _ = lines.set(.intx, vector: 0, masking: false, event: try EventFD())
        #expect(lines.handOver(.intx) && lines.handOverUnmasking())
        #expect(host.takeLog() == ["intx fd", "unmask by fd"])
        host.refusesAccesses = true
        #expect(!lines.handOver(.intx))
        host.refusesAccesses = false
        _ = host.takeLog()
        lines.disconnectAll()
        #expect(host.takeLog() == ["intx off", "msi off", "msix off"])
    }

    @Test func aResetIsTheHostsAndLeavesEventfdsConnected() throws {
        var function = try PassthroughFunction(host)
        let lines = function.environment.interrupts
        _ = lines.set(.msix, vector: 0, event: try EventFD())
        #expect(lines.handOver(.msix))
        _ = host.takeLog()
        function.environment.resetToPowerOn()
        function.reset()
        #expect(host.takeLog() == ["reset", "msix fd"])
        host.canReset = false
        host.config[4] = 0x06
        function.reset()
        #expect(host.takeLog() == ["reset", "read config 4 2", "write config 4 2 2", "msix fd"])
    }
}
