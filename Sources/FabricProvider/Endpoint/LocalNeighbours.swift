import Devices
import LinuxIO
import MPIBridge

/// Peers on a wire within this machine: if one's process is gone, that is known long before its silence would tell.
struct LocalNeighbours: ~Copyable {
    private let liveness: EndpointLiveness

    /// - Parameter key: of this endpoint, for the others' looks.
    init(key: UInt64) throws(SystemCallError) { liveness = try EndpointLiveness(key: key) }

    borrowing func isAlive(_ address: EndpointAddress) -> Bool { liveness.isAlive(key: address.key) }
}

extension OpenEndpoint {
    mutating func lookAfterNeighbours(now: UInt64) {
        guard watchesNeighbours else { return }
        var silent: [(PeerID, EndpointAddress)] = []
        transport?.silentPeers(since: now &- LookingAround.interval) { silent.append(($0, $1)) }
        for (peer, address) in silent where address.key != transport?.address.key && neighbours?.isAlive(address) == false {
            transport?.declareDead(peer)
        }
    }
}
