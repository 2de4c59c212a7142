/// The end of the port.
extension MessageEndpoint {
    /// The caller has found that the port's device is gone: nothing goes out or comes in any more. Every operation ends with
    /// ``TransportError/portFailed``, and every later one is refused with it.
    public mutating func declarePortDead() {
        guard !portHasFailed else { return }
        portHasFailed = true
        for peer in 0..<UInt32(peers.touched) { fail(peer, because: .portFailed) }
        // What waits for anybody waits in vain, too. All of the peers' own are gone: these are in the lists.
        for space in [MessageSpace.tagged, .untagged] {
            while let index = waitingList(space).firstOrNil {
                unlink(index)
                complete(index, error: .portFailed)
            }
        }
        outgoing.removeAll()
        returning.removeAll()
        nextTimer = .max
        keepAliveAt = .max
        askRouterAt = .max
    }

    /// Why operations with a peer that has failed are refused.
    var refusal: TransportError { portHasFailed ? .portFailed : .peerFailed }
}
