import NicDriver
import Testing

@testable import MPIBridge

@Suite struct EndpointAddressTests {
    private static let address = EndpointAddress(
        key: 0x0102_0304_0506_0708, mac: MACAddress(bits: 0x0210_2030_4050), ipv4: 0xc0a8_0107, udpPort: 0x1234)
    private static let wire: [UInt8] = [
        1, 0, 0x12, 0x34, 0xc0, 0xa8, 1, 7, 2, 0x10, 0x20, 0x30, 0x40, 0x50, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
    ]

    @Test func itsWireFormIsTheDescribedOne() {
        #expect(Self.address.bytes == Self.wire)
        #expect(EndpointAddress(Self.wire) == Self.address)
    }

    @Test(arguments: [(0, 2), (1, 1), (14, 1), (15, 1), (8, 3)] as [(Int, UInt8)])
    func wrongBytesAreNoAddress(place: Int, byte: UInt8) {
        var wire = Self.wire
        wire[place] = byte
        #expect(EndpointAddress(wire) == nil)
    }

    @Test func nobodyIsReachedWithoutPortOrEthernetAddress() {
        var wire = Self.wire
        wire.replaceSubrange(2..<4, with: [0, 0])
        #expect(EndpointAddress(wire) == nil)
        wire = Self.wire
        wire.replaceSubrange(8..<14, with: [0, 0, 0, 0, 0, 0])
        #expect(EndpointAddress(wire) == nil)
        #expect(EndpointAddress(Self.wire.dropLast()) == nil)
        #expect(EndpointAddress(Self.wire + [0]) == nil)
    }
}
