import DeviceMemory

/// The last steps of every frame: its head, its sequence number, its checksums, the queue pair.
extension MessageEndpoint {
    /// Everything up to byte 63; ``seal(_:sequence:to:)`` adds what changes each time a frame is sent.
    @inline(__always) func storeHead(_ window: MemoryWindow, kind: FrameKind, flags: FrameFlags, of peer: UInt32) {
        peers[peer].template.store(into: window)
        window.store8(FrameLayout.currentVersion, at: FrameLayout.version)
        window.store8(kind.rawValue, at: FrameLayout.kind)
        window.store16(flags.rawValue, at: FrameLayout.flags)
        window.store64(peers[peer].address.key, at: FrameLayout.destinationKey)
        window.store64(address.key, at: FrameLayout.sourceKey)
    }

    /// Sends a frame that a slot holds for the first time: it gets the next sequence number.
    mutating func sendSlot(_ slot: UInt32, byteCount: Int, to peer: UInt32, now: UInt64) {
        let sequence = peers[peer].nextSequence
        peers[peer].window[sequence] = SentFrame(
            source: .slot, byteCount: UInt16(truncatingIfNeeded: byteCount), slot: slot, sentAt: now)
        // The window has room, so a packet is there too; without one it counts as lost on the wire.
        sendCopy(of: slots.window(slot), byteCount: byteCount, sequence: sequence, to: peer)
        counted(peer, byteCount: byteCount, now: now)
    }

    /// Sends what a slot holds, if there is a packet for it. Everything from ``FrameLayout/fields`` on stays as it is.
    mutating func sendCopy(of slot: MemoryWindow, byteCount: Int, sequence: UInt32, to peer: UInt32) {
        guard var packet = queuePair.makePacket() else { return }
        let start = FrameLayout.fields
        slot.copy(at: 0, byteCount: start, to: packet.window, at: 0)
        let sum = slot.copySumming(at: start, byteCount: byteCount &- start, to: packet.window, at: start)
        packet.byteCount = byteCount
        seal(packet, tail: DatagramSum.Tail(start: start, sum: UInt64(sum)), sequence: sequence, to: peer)
    }

    /// The frame of ``Peer/nextSequence`` is on its way.
    mutating func counted(_ peer: UInt32, byteCount: Int, now: UInt64) {
        if peers[peer].inFlight == 0 {
            peers[peer].retransmitAt = now &+ peers[peer].roundTrip.retransmissionTimeout
            peers[peer].owingSince = now
        }
        peers[peer].nextSequence &+= 1
        peers[peer].bytesInFlight &+= byteCount
        peers[peer].matters = true
        time(peer, now: now)
    }

    /// Fills in what the receiver learns from every frame, and the checksums; appends to what goes out next.
    /// - Parameter tail: the part whose sum is known; behind the fields that are filled in here.
    /// - Parameter tellsAll: the frame says which frames came early, too, so that no other acknowledgement is owed.
    mutating func seal(_ packet: consuming Packet, tail: DatagramSum.Tail, sequence: UInt32, to peer: UInt32, tellsAll: Bool = false) {
        let window = packet.window
        let byteCount = packet.byteCount
        renewCredits(peer)
        window.store32(sequence, at: FrameLayout.sequence)
        window.store32(peers[peer].expected, at: FrameLayout.acknowledgement)
        window.store32(peers[peer].bytesGranted, at: FrameLayout.byteCredit)
        window.store32(peers[peer].messagesGranted, at: FrameLayout.messageCredit)
        peers[peer].bytesTold = peers[peer].bytesGranted
        peers[peer].messagesTold = peers[peer].messagesGranted
        if tellsAll || peers[peer].earlyFrames == 0 {
            peers[peer].acknowledgementsOwed = 0
            peers[peer].acknowledgeAt = .max
            peers[peer].shallAcknowledgeNow = false
        }
        peers[peer].template.seal(window, byteCount: byteCount, tail: tail)
        counters.framesSent &+= 1
        // A full batch drops it, as a wire would.
        if peers[peer].address.key == address.key { _ = returning.append(packet) } else { _ = outgoing.append(packet) }
    }

    /// Hands what was built to the NIC.
    @inline(__always) mutating func flush() {
        if !outgoing.isEmpty { _ = queuePair.send(&outgoing) }
    }
}
