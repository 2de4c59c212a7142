extension MessageEndpoint {
    /// Peers that owe something or are waited for, and were not heard for some time: for a caller who can tell whether they
    /// are dead (``declareDead(_:)``).
    /// - Parameter since: nanoseconds; those heard before.
    public func silentPeers(since: UInt64, _ body: (PeerID, EndpointAddress) -> Void) {
        for peer in 0..<UInt32(peers.touched) where peers[peer].matters && !peers[peer].hasFailed && peers[peer].heardAt < since {
            body(PeerID(index: peer), peers[peer].address)
        }
    }
}
