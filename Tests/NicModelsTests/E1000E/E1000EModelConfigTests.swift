import DeviceMemory
import DeviceModel
import NicModels
import NicRegisters
import Testing

@Suite struct E1000EModelConfigTests {
    @Test func identityAndClassAreTheDevices() throws {
        let config = try Bench().environment.config
        #expect(Array(config[0..<4]) == [0x86, 0x80, 0xd3, 0x10])
        #expect(Array(config[9..<12]) == [0, 0, 2])
    }

    @Test(arguments: [(0x10, UInt32(0xfffe_0000)), (0x14, 0), (0x18, 0xffff_ffe1), (0x1c, 0xffff_c000), (0x30, 0)])
    func barOfAllOnesTellsItsSize(offset: Int, mask: UInt32) throws {
        let bench = try Bench()
        bench.writeConfig(offset, [0xff, 0xff, 0xff, 0xff])
        let value = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bench.environment.config[offset + $1]) << UInt32(8 * $1) }
        #expect(value == mask)
    }

    @Test func capabilitiesArePowerMSIExpressAndMSIX() throws {
        let config = try Bench().environment.config
        var ids: [UInt8] = []
        var at = Int(config[0x34])
        while at != 0, ids.count < 10 {
            ids.append(config[at])
            at = Int(config[at + 1])
        }
        #expect(ids == [0x01, 0x05, 0x10, 0x11])
    }

    @Test func functionLevelResetClearsRegistersAndCommand() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.writeConfig(E1000E.PCI.pcieCapability + 8, [0x10, 0xa8])
        #expect(bench.environment.config[4] == 0)
        #expect(bench.environment.config[E1000E.PCI.pcieCapability + 9] & 0x80 == 0)
        #expect(!bench.read(E1000E.rctl).contains(.enable))
        #expect(bench.read(E1000E.rdlen[0]) == 0)
        #expect(!bench.wantsPolling)
    }

    @Test func powerCycleLosesTheState() throws {
        let bench = try Bench()
        bench.startReceive()
        bench.writeConfig(E1000E.PCI.powerCapability + 4, [3])
        #expect(bench.read(E1000E.rctl).contains(.enable))
        bench.writeConfig(E1000E.PCI.powerCapability + 4, [0])
        #expect(!bench.read(E1000E.rctl).contains(.enable))
    }

    @Test func pollingIsWantedOnlyWithAQueueAndBusMaster() throws {
        let bench = try Bench()
        #expect(!bench.wantsPolling)
        bench.startTransmit()
        #expect(bench.wantsPolling)
        bench.setCommand(0)
        #expect(!bench.wantsPolling)
    }
}
