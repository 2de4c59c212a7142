import DeviceMemory
import NicDriver

/// Who the next hop to a peer is. Peers of this endpoint's network are reached at the Ethernet address that they published; those
/// behind a router at the router's, which is asked for (RFC 826). Everybody who asks is told this endpoint's.
extension MessageEndpoint {
    private static let askAgain: UInt64 = 1_000_000_000

    /// Whether frames to a peer go through the router.
    func isBehindRouter(_ target: EndpointAddress) -> Bool {
        guard let router = options.router else { return false }
        return (target.ipv4 ^ address.ipv4) & router.mask != 0
    }

    /// A frame of no endpoint: an ARP packet is answered or learnt from.
    mutating func takeForeign(_ window: MemoryWindow, byteCount: Int) {
        guard let packet = AddressResolution(window, byteCount: byteCount), packet.targetIPv4 == address.ipv4 else {
            counters.foreignFrames &+= 1
            return
        }
        switch packet.operation {
        case .request:
            emit(AddressResolution(.reply, from: address, to: packet.senderMAC, ipv4: packet.senderIPv4))
        case .reply:
            // Only what was asked for is believed.
            guard let router = options.router, packet.senderIPv4 == router.ipv4, routerMAC == nil else { return }
            routerMAC = packet.senderMAC
            askRouterAt = .max
            for peer in 0..<UInt32(peers.touched) where !peers[peer].hasNextHop {
                peers[peer].template = FrameTemplate(from: address, to: peers[peer].address, nextHop: packet.senderMAC)
                peers[peer].hasNextHop = true
                callAttention(peer)
            }
        }
    }

    /// Asks for the router's address, until it answers or its peers' patience ends.
    mutating func askRouter(now: UInt64) {
        guard let router = options.router, routerMAC == nil else {
            askRouterAt = .max
            return
        }
        routerAskedSince = min(routerAskedSince, now)
        if now &- routerAskedSince >= options.peerTimeout {
            askRouterAt = .max
            routerAskedSince = .max
            for peer in 0..<UInt32(peers.touched) where !peers[peer].hasNextHop { fail(peer) }
            return
        }
        askRouterAt = now &+ Self.askAgain
        emit(AddressResolution(.request, from: address, to: .broadcast, ipv4: router.ipv4))
    }

    private mutating func emit(_ resolution: AddressResolution) {
        guard outgoing.room > 0, var packet = queuePair.makePacket() else { return }
        resolution.store(into: packet.window)
        packet.byteCount = AddressResolution.byteCount
        _ = outgoing.append(packet)
    }
}
