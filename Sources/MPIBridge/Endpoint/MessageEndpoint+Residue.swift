/// What an endpoint holds at the moment: for tests, which look that nothing is left.
package struct Residue: Equatable, Sendable {
    package var sends = 0, receives = 0, controls = 0, slots = 0, unexpected = 0, unexpectedBytes = 0
    /// Frames that came early, or have no room.
    package var heldFrames = 0
    package var outgoing = 0

    package var isEmpty: Bool { self == Residue() }
}

extension MessageEndpoint {
    package var residue: Residue {
        var residue = Residue(
            sends: sends.count, receives: receives.count, controls: controls.count, slots: options.retainedFrames - slots.freeCount,
            unexpected: unexpected.count, unexpectedBytes: unexpectedByteCount, outgoing: outgoing.count)
        for peer in 0..<UInt32(peers.touched) {
            residue.heldFrames += peers[peer].earlyFrames.nonzeroBitCount + (peers[peer].holdsExpected ? 1 : 0)
        }
        return residue
    }
}
