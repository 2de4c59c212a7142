import NicDriver
import Testing

@testable import VerbsProvider

@Suite struct PortNameTests {
    private let name = PortName(life: 0x11_2233_4455, ipv4: 0x0a01_0203, mac: MACAddress(bits: 0x02_00_00_01_02_03))

    @Test func theGIDIsAUniqueLocalAddressOfLifeIPv4AndMAC() {
        #expect(name.high == 0xfd11_2233_4455_0a01)
        #expect(name.low == 0x0203_0200_0001_0203)
    }

    @Test func aNameComesBackFromItsHalves() {
        #expect(PortName(high: name.high, low: name.low) == name)
    }

    @Test(
        arguments: [
            (0xfe80_0000_0000_0000, 0x0203_0200_0001_0203), (0, 0), (0xfd11_2233_4455_0a01, 0x0203_0000_0000_0000),
            (0xfd11_2233_4455_0a01, 0x0203_0100_0001_0203),
        ] as [(UInt64, UInt64)])
    func whatNamesNoPortIsRefused(high: UInt64, low: UInt64) { #expect(PortName(high: high, low: low) == nil) }

    @Test func theKeyNamesTheLifeAndNothingElseDoes() {
        #expect(PortName.life(ofKey: name.key) == name.life)
        #expect(PortName.life(ofKey: name.key ^ 1 << 63) == nil)
        #expect(PortName.life(ofKey: name.life) == nil)
    }

    @Test func anEndpointHasTheNamesAddresses() {
        let endpoint = name.endpoint(udpPort: 7)
        #expect(endpoint.key == name.key && endpoint.mac == name.mac && endpoint.ipv4 == name.ipv4 && endpoint.udpPort == 7)
    }

    @Test func theNodesIdentifierIsAnEUI64() { #expect(NodeIdentifier.identifier(of: 0x02_11_22_33_44_55) == 0x0011_22ff_fe33_4455) }
}
