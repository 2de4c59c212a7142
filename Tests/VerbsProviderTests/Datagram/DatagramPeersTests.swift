import NicDriver
import Testing

@testable import VerbsProvider

@Suite struct DatagramPeersTests {
    private func name(_ life: Int) -> PortName { PortName(life: UInt64(life), ipv4: 1, mac: MACAddress(bits: 0x02_00_00_00_00_01)) }

    @Test func strangersCannotTakeThePlacesOfThoseThatProgramsName() {
        var peers = DatagramPeers(local: name(0))
        for life in 1...DatagramPeers.strangerLimit { holds(peers.stranger(key: name(life).key, name: name(life)) != nil) }
        holds(peers.stranger(key: name(100_000).key, name: name(100_000)) == nil)
        let wanted = peers.named(name(100_000))
        holds(wanted != nil)
        holds(peers.stranger(key: name(100_000).key, name: nil) == wanted)
        holds(peers.named(name(7)) == 6)
    }

    @Test func aFullTableRefusesAName() {
        var peers = DatagramPeers(local: name(0))
        for life in 1...DatagramPeers.capacity { holds(peers.named(name(life)) != nil) }
        holds(peers.named(name(DatagramPeers.capacity + 1)) == nil)
        holds(peers.named(name(1)) == 0)
    }
}
