import DeviceMemory
import MPIBridge

/// UD: nothing is sent again, nothing waits for an answer.
extension VerbsObject where State == VerbsQueuePair {
    enum Taking { case taken, refused, noReceive }

    /// Sends as far as the other ports keep up, in order.
    func sendDatagrams(now: UInt64) {
        while state.sends.hasWaiting {
            var work = state.sends[state.sends.next]
            if state.state == .error {
                work.status = .flushed
            } else if work.status == .success {
                guard state.adapter.sendDatagram(work, from: state.number, now: now) else { return becomeBusy() }
            }
            state.sends.removeFirst()
            complete(work)
            if work.status != .success, state.state != .error { enterError() }
        }
    }

    /// A datagram for this queue pair. One that is longer than the receive's memory is dropped, as InfiniBand's responders do
    /// without a shared receive queue (linux, drivers/infiniband/sw/rxe/rxe_resp.c, RESPST_ERR_LENGTH).
    func takeDatagram(_ frame: DatagramFrame, _ window: MemoryWindow, from source: PortName) -> Taking {
        guard state.service == .datagram, state.state.receives, frame.queueKey == state.queueKey else { return .refused }
        guard !state.receives.isEmpty else { return .noReceive }
        let work = state.receives[state.receives.head]
        let byteCount = RouteHeader.byteCount + frame.payloadByteCount
        guard byteCount <= work.memory.byteCount else { return .refused }
        let scratch = state.adapter.state.scratch.window
        RouteHeader(source: source, destination: state.adapter.state.name, payloadByteCount: frame.payloadByteCount).emit(into: scratch)
        work.memory.fill(from: scratch, at: 0, byteCount: RouteHeader.byteCount, offset: 0)
        work.memory.fill(
            from: window, at: DatagramLayout.payload, byteCount: frame.payloadByteCount, offset: RouteHeader.byteCount)
        state.receives.removeFirst()
        var completion = WorkCompletion(wrID: work.wrID, status: .success, opcode: .receive, queuePair: state.number)
        completion.byteCount = UInt32(byteCount)
        completion.sourceQueuePair = frame.sourceQueuePair
        completion.hasRouteHeader = true
        if frame.flags.contains(.immediate) { completion.immediate = frame.immediate }
        state.receiveQueue.append(completion, isSolicited: frame.flags.contains(.solicited))
        return .taken
    }
}
