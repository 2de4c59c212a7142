import DeviceMemory
import LinuxIO
import MPIBridge
import NicDriver

/// Driving the port. The caller holds the lock.
extension VerbsObject where State == Adapter {
    /// Takes what has arrived, lets the transport work, goes on with send requests that wait.
    func progress(now: UInt64) {
        state.lastProgress = now
        guard !state.isClosed else { return }
        if !transportHasFrames { receive(now: now) }
        if state.transport.progress(now: now) { state.lastFrame = now }
        takeCompletions()
        if !state.busy.isEmpty { goOn(now: now) }
        flush()
    }

    private func receive(now: UInt64) {
        guard receiveFrames() > 0 else { return }
        state.lastFrame = now
        while let packet = state.incoming.removeFirst() {
            let isDatagram =
                packet.byteCount >= DatagramLayout.reportEnd
                && UInt16(bigEndian: packet.window.load16(at: 36)) == VerbsUDPPort.datagrams
            if isDatagram { arrived(packet, now: now) } else { hand(packet) }
        }
    }

    /// Ends of the transport's operations, to their queue pairs.
    private func takeCompletions() {
        while let completion = state.transport.takeCompletion() { ended(completion) }
    }

    func ended(_ completion: Completion) {
        let name = WorkName(word: completion.context)
        guard let queuePair = state.queuePairs[name.queuePair] else { return }
        if name.isQuestion {
            queuePair.questionEnded(completion, turn: name.position)
        } else if name.isReceive {
            queuePair.receiveEnded(completion, position: name.position)
        } else {
            queuePair.sendEnded(completion, position: name.position)
        }
    }

    /// Queue pairs whose send requests wait for a window, an outcome or an acknowledgement.
    private func goOn(now: UInt64) {
        var kept = 0
        let count = state.busy.count
        for index in 0..<count {
            let number = state.busy[index]
            guard let queuePair = state.queuePairs[number] else { continue }
            queuePair.work(now: now)
            if queuePair.hasWork {
                state.busy[kept] = number
                kept &+= 1
            } else {
                queuePair.state.isBusy = false
            }
        }
        // Behind them are those that became busy meanwhile.
        state.busy.removeSubrange(kept..<count)
    }

    /// What was built goes to the NIC; what its ring has no room for stays.
    @inline(__always) func flush() {
        if !state.outgoing.isEmpty, !state.isClosed { sendFrames() }
    }

    /// Before memory is taken from peers: what they were promised may be on its way, and a transfer that is cut off ends its peer.
    func letTransfersEnd() {
        let deadline = Deadline(afterMilliseconds: 20)
        while !state.transport.isQuiet, !deadline.hasPassed {
            progress(now: MonotonicClock.nanoseconds())
            Processor.yield()
        }
    }

    /// Whether one more frame can be built.
    var hasSendRoom: Bool {
        if state.outgoing.room == 0 { flush() }
        return state.outgoing.room > 0
    }
}
