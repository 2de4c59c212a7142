import Testing

@testable import DeviceAccess

@Suite("The MSI-X table in config space") struct MSIXTableTests {
    /// A config space with capabilities at given places: (offset, id, next).
    private func config(_ capabilities: [(Int, UInt8, UInt8)], first: UInt8, hasList: Bool = true) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 256)
        bytes[0x06] = hasList ? 0x10 : 0
        bytes[0x34] = first
        for (offset, id, next) in capabilities { (bytes[offset], bytes[offset + 1]) = (id, next) }
        return bytes
    }

    @Test("region, offset and length come out of the capability")
    func found() {
        var bytes = config([(0xc8, 1, 0xd0), (0xd0, 5, 0xa0), (0xa0, 0x11, 0)], first: 0xc8)
        bytes[0xa2] = 4
        bytes[0xa4] = 0x03
        bytes[0xa5] = 0x20
        #expect(MSIXTable.find(inConfig: InfoBytes(bytes)) == MSIXTable(region: 3, range: 0x2000..<0x2050))
    }

    @Test("the largest table at the largest offset does not overflow")
    func largest() {
        var bytes = config([(0x40, 0x11, 0)], first: 0x40)
        for at in 0x42..<0x48 { bytes[at] = 0xff }
        bytes[0x44] = 0xfd
        #expect(MSIXTable.find(inConfig: InfoBytes(bytes))?.range == 0xffff_fff8..<0x1_0000_7ff8)
    }

    @Test("no list, no capability, a reserved region: no table")
    func absent() {
        #expect(MSIXTable.find(inConfig: InfoBytes(config([(0x40, 0x11, 0)], first: 0x40, hasList: false))) == nil)
        #expect(MSIXTable.find(inConfig: InfoBytes(config([(0x40, 5, 0)], first: 0x40))) == nil)
        var reserved = config([(0x40, 0x11, 0)], first: 0x40)
        reserved[0x44] = 7
        #expect(MSIXTable.find(inConfig: InfoBytes(reserved)) == nil)
    }

    @Test("a loop, a pointer below 0x40, all ones and a short config end without a table")
    func nonsense() {
        #expect(MSIXTable.find(inConfig: InfoBytes(config([(0x40, 5, 0x48), (0x48, 5, 0x40)], first: 0x40))) == nil)
        #expect(MSIXTable.find(inConfig: InfoBytes(config([(0x40, 5, 0x10)], first: 0x40))) == nil)
        #expect(MSIXTable.find(inConfig: InfoBytes([UInt8](repeating: 0xff, count: 256))) == nil)
        #expect(MSIXTable.find(inConfig: InfoBytes([UInt8](repeating: 0xff, count: 0x36))) == nil)
        #expect(MSIXTable.find(inConfig: InfoBytes([])) == nil)
    }
}
