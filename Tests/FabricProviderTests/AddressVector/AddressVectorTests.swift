import MPIBridge
import NicDriver
import Testing

@testable import FabricProvider

@Suite struct AddressTextTests {
    @Test func itIsForPeople() {
        let address = EndpointAddress(key: 0x0123_4567, mac: MACAddress(bits: 0x0200_0000_0001), ipv4: 0x0a00_0001, udpPort: 53_696)
        #expect(address.text == "fi_unic://02:00:00:00:00:01/10.0.0.1:53696/0000000001234567")
    }
}

@Suite struct PeerMapTests {
    @Test func numbersGrowAndAreForgotten() {
        var map = PeerMap()
        #expect(map[0] == nil && map[.max] == nil)
        map.set(0, to: PeerID(index: 7))
        map.set(100_000, to: PeerID(index: 8))
        #expect(map[0] == PeerID(index: 7))
        #expect(map[100_000] == PeerID(index: 8))
        #expect(map[99_999] == nil && map[1 << 40] == nil)
        map.set(0, to: nil)
        #expect(map[0] == nil)
    }
}
