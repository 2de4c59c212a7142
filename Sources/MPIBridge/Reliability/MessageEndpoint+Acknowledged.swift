/// How far the frames to a peer have got, for interfaces whose sends end when the other side has them.
extension MessageEndpoint {
    /// All that was sent to a peer so far: for ``isAcknowledged(_:by:)``. nil: there is no such peer.
    @inline(__always) public func sendMark(for peer: PeerID) -> UInt32? {
        peers.isInUse(peer.index) ? peers[peer.index].nextSequence : nil
    }

    /// Whether the peer's endpoint has said that it has everything up to a mark, at most 2³¹ frames ago.
    @inline(__always) public func isAcknowledged(_ mark: UInt32, by peer: PeerID) -> Bool {
        guard peers.isInUse(peer.index) else { return false }
        let oldest = peers[peer.index].hasFailed ? peers[peer.index].acknowledgedWhenFailed : peers[peer.index].oldest
        return Int32(bitPattern: oldest &- mark) >= 0
    }

    /// Whether nothing goes to a peer and nothing comes from it any more.
    public func hasFailed(_ peer: PeerID) -> Bool { !peers.isInUse(peer.index) || peers[peer.index].hasFailed }
}
