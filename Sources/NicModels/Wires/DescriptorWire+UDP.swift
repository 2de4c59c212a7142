public import LinuxIO
import SystemPackage

extension DescriptorWire {
    /// A cable to another machine: each frame is a UDP datagram between two endpoints. The carrier is always on: nobody says
    /// whether anyone is there. There is neither a check of who sent a datagram beyond its addresses, nor any secrecy.
    public convenience init(udp local: IPEndpoint, peer: IPEndpoint) throws(WireError) {
        do throws(SystemCallError) {
            try self.init(try UDPSocket.connected(local: local, peer: peer), tapCarrier: nil)
        } catch { throw .udp(local: local, peer: peer, cause: error) }
    }
}

/// What to do about a UDP socket that cannot be had.
enum UDPAdvice {
    static func text(_ local: IPEndpoint, _ peer: IPEndpoint, _ cause: SystemCallError) -> String {
        switch cause.errno {
        case .addressInUse: "Another program has port \(local.port): see which with `ss -ulnp`, or use another one."
        case .addressNotAvailable: "No interface here has this address: see `ip address`."
        case .networkUnreachable, .noRouteToHost: "There is no way to \(peer): see `ip route`."
        case .permissionDenied, .notPermitted: "Ports below 1024 are for root; a firewall's rule may forbid the peer."
        default: "See `ip address` and `ip route` for what is there."
        }
    }
}
