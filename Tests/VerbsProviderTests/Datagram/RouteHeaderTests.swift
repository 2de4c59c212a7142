import DeviceMemory
import NicDriver
import Testing

@testable import VerbsProvider

@Suite struct RouteHeaderTests {
    private let source = PortName(life: 1, ipv4: 0x0a00_0001, mac: MACAddress(bits: 0x02_00_00_00_00_01))
    private let destination = PortName(life: 2, ipv4: 0x0a00_0002, mac: MACAddress(bits: 0x02_00_00_00_00_02))

    @Test func itIsFortyBytesOfVersion6WithBothNames() throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        memory.window.fill(0xee)
        RouteHeader(source: source, destination: destination, payloadByteCount: 0x0102).emit(into: memory.window)
        let expected: [UInt8] =
            [0x60, 0, 0, 0, 1, 2, 0x1b, 64, 0xfd, 0, 0, 0, 0, 1, 10, 0, 0, 1, 2, 0, 0, 0, 0, 1]
            + [0xfd, 0, 0, 0, 0, 2, 10, 0, 0, 2, 2, 0, 0, 0, 0, 2]
        #expect(memory.window.bytes(at: 0, byteCount: 40) == expected)
        #expect(memory.window.load8(at: 40) == 0xee)
        #expect(RouteHeader.source(memory.window) == source)
    }

    @Test(arguments: [(0, 0x40), (6, 17), (8, 0xfe)] as [(Int, UInt8)]) func anotherHeaderNamesNobody(offset: Int, value: UInt8) throws {
        let memory = try DMAMemory.ordinary(byteCount: 4096)
        RouteHeader(source: source, destination: destination, payloadByteCount: 1).emit(into: memory.window)
        memory.window.store8(value, at: offset)
        #expect(RouteHeader.source(memory.window) == nil)
    }
}
