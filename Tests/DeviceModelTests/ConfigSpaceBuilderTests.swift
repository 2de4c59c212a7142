import DeviceModel
import Testing

@Suite struct ConfigSpaceBuilderTests {
    private static let identity = PCIIdentity(
        vendor: 0x1234, device: 0x5678, classCode: 0x02_0304, revision: 9, subsystemVendor: 0xaaaa, subsystemDevice: 0xbbbb)

    private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }

    @Test func headerHasTheIdentityAndNoList() {
        let function = ConfigSpaceBuilder(Self.identity, hasINTx: true).function
        let expected: [UInt32] = [0x5678_1234, 0, 0x0203_0409, 0]
        #expect((0..<4).map { word(function.config, $0 * 4) } == expected)
        #expect(word(function.config, 0x2c) == 0xbbbb_aaaa && word(function.config, 0x34) == 0 && word(function.config, 0x3c) == 0x0100)
        #expect(word(function.writableConfigBits, 4) == 0x0547 && function.hasINTx)
        #expect(function.config.count == 4096 && function.writableConfigBits.count == 4096)
    }

    @Test func aVirtualFunctionHasLessToWriteAndNoPin() {
        let function = ConfigSpaceBuilder(Self.identity, hasINTx: false, isVirtual: true).function
        #expect(word(function.writableConfigBits, 4) == 0x0006 && word(function.writableConfigBits, 0x0c) == 0)
        #expect(word(function.config, 0x3c) == 0 && !function.hasINTx)
    }

    @Test func barsTellTheirSizeByTheirWritableBits() {
        var space = ConfigSpaceBuilder(Self.identity, hasINTx: false)
        space.add(BARDescription(byteCount: 0x2_0000), asBAR: 0)
        space.add(BARDescription(byteCount: 32, isIO: true), asBAR: 5)
        let function = space.function
        #expect(word(function.writableConfigBits, 0x10) == 0xfffe_0000 && word(function.config, 0x10) == 0)
        #expect(word(function.writableConfigBits, 0x24) == 0xffff_ffe0 && word(function.config, 0x24) == 1)
        #expect(function.bars.map { $0?.byteCount } == [0x2_0000, nil, nil, nil, nil, 32])
    }

    @Test func capabilitiesAreLinkedInTheirOrderAndCounted() {
        var space = ConfigSpaceBuilder(Self.identity, hasINTx: false)
        space.add(.msix(vectorCount: 5, table: (bar: 3, offset: 0x1000), pending: (bar: 4, offset: 0x800)), at: 0xa0)
        space.add(.powerManagement(), at: 0x40)
        space.add(.msi(vectorCount: 4), at: 0x50)
        space.add(.pciExpress(), at: 0x60)
        var own = PCICapability.vendor(byteCount: 8)
        own.put32(4, 0x1122_3344, writable: 0xff)
        space.add(own, at: 0x80)
        let function = space.function
        var found: [(id: UInt8, at: Int)] = []
        var at = Int(function.config[0x34])
        while at != 0, found.count < 10 {
            found.append((function.config[at], at))
            at = Int(function.config[at + 1])
        }
        #expect(found.map(\.id) == [0x11, 0x01, 0x05, 0x10, 0x09] && found.map(\.at) == [0xa0, 0x40, 0x50, 0x60, 0x80])
        #expect(function.config[6] == 0x10, "status says that there is a list")
        #expect(function.msixVectorCount == 5 && function.msiVectorCount == 4)
        // MSI-X: vectors less one, table and pending bits with their BARs.
        #expect([0xa0, 0xa4, 0xa8].map { word(function.config, $0) } == [0x0004_4011, 0x1003, 0x0804])
        #expect(word(function.writableConfigBits, 0xa0) == 0xc000_0000)
        // MSI: 64-bit, four vectors; the driver says how many it takes.
        #expect(word(function.config, 0x50) >> 16 == 0x0084 && word(function.writableConfigBits, 0x50) >> 16 == 0x0071)
        #expect(word(function.config, 0x80) >> 16 == 8 && word(function.config, 0x84) == 0x1122_3344)
        #expect(word(function.writableConfigBits, 0x84) == 0xff)
    }

    @Test(arguments: [(true, false), (false, false), (true, true)]) func onlyAFunctionThatCanBeResetHasTheBit(
        canBeReset: Bool, isVirtual: Bool
    ) throws {
        var space = ConfigSpaceBuilder(Self.identity, hasINTx: false, isVirtual: isVirtual)
        space.add(.pciExpress(canBeReset: canBeReset, isVirtual: isVirtual), at: 0x40)
        #expect((word(space.function.config, 0x44) & 1 << 28 != 0) == canBeReset)
        let environment = try DeviceEnvironment(for: space.function)
        environment.writeConfig(at: 0x48, bytes: [0, 0x80])
        #expect(environment.isResetWanted(pciExpressAt: 0x40, writtenAt: 0x48, byteCount: 2) == canBeReset)
        #expect(environment.isResetWanted(pciExpressAt: 0x40, writtenAt: 0x49, byteCount: 1) == canBeReset)
        #expect(!environment.isResetWanted(pciExpressAt: 0x40, writtenAt: 0x48, byteCount: 1))
        #expect(!environment.isResetWanted(pciExpressAt: 0x40, writtenAt: 0x4a, byteCount: 4))
        #expect(!environment.isResetWanted(pciExpressAt: 0x40, writtenAt: .min, byteCount: 1))
        environment.resetToPowerOn()
        #expect(!environment.isResetWanted(pciExpressAt: 0x40, writtenAt: 0x48, byteCount: 2))
    }
}
