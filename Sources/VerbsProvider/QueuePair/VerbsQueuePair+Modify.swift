import CVerbs
import Glibc
import LinuxIO

/// From state to state. The caller holds the adapter's lock.
extension VerbsObject where State == VerbsQueuePair {
    /// Sets what the mask says, all of it or nothing. Returns an errno number.
    func modify(_ wanted: ibv_qp_attr, mask: QueuePairAttributes) -> Int32 {
        let current = state.state
        // SAFETY: (throughout) numbers of a structure that was copied.
        let next = mask.contains(.state) ? QueuePairState(wanted.qp_state) : current
        guard let next, mask.allow(from: current, to: next, service: state.service), isPossible(wanted, mask: mask) else {
            return VerbsError.invalid
        }
        if mask.contains(.currentState), wanted.cur_qp_state != current.code { return VerbsError.invalid }
        if mask.contains(.path) {
            let code = connect(wanted)
            guard code == 0 else { return code }
        }
        keep(wanted, mask: mask)
        return enter(next, from: current)
    }

    private func isPossible(_ wanted: ibv_qp_attr, mask: QueuePairAttributes) -> Bool {
        // SAFETY: as above.
        if mask.contains(.port), wanted.port_num != PortAttributes.portNumber { return false }
        if mask.contains(.partition), wanted.pkey_index != 0 { return false }
        if mask.contains(.remoteQueuePair), wanted.dest_qp_num & ~DatagramLayout.queuePairMask != 0 { return false }
        if mask.contains(.pathMTU), !(IBV_MTU_256.rawValue...IBV_MTU_4096.rawValue).contains(wanted.path_mtu.rawValue) { return false }
        // SAFETY: as above.
        if mask.contains(.readLimit), Int32(wanted.max_rd_atomic) > PortAttributes.readLimit { return false }
        if mask.contains(.servedReads), Int32(wanted.max_dest_rd_atomic) > PortAttributes.readLimit { return false }
        return true
    }

    /// The other side of a connection; the same port's too, whose frames the transport hands back.
    private func connect(_ wanted: ibv_qp_attr) -> Int32 {
        // SAFETY: as above.
        guard let name = PortName(route: wanted.ah_attr) else { return VerbsError.invalid }
        let address = name.endpoint(udpPort: VerbsUDPPort.connected)
        guard let peer = state.adapter.state.transport.peer(for: address, now: MonotonicClock.nanoseconds()) else {
            return VerbsError.noMemory
        }
        state.peer = peer
        state.remoteNumber = wanted.dest_qp_num
        return 0
    }

    /// Remembers what was set.
    private func keep(_ wanted: ibv_qp_attr, mask: QueuePairAttributes) {
        // SAFETY: numbers of a structure of our own and one that was copied.
        if mask.contains(.access) {
            // What peers reach is opened anew when their rights change. Else it stays, and with it what is under way.
            if state.opensMemory, MemoryAccess(rawValue: wanted.qp_access_flags).changesRights(from: state.access) {
                state.adapter.letTransfersEnd()
                closeMemory()
            }
            state.attributes.qp_access_flags = wanted.qp_access_flags
            state.access = MemoryAccess(rawValue: wanted.qp_access_flags)
        }
        if mask.contains(.queueKey) {
            state.attributes.qkey = wanted.qkey
            state.queueKey = wanted.qkey
        }
        // SAFETY: as above.
        if mask.contains(.partition) { state.attributes.pkey_index = wanted.pkey_index }
        if mask.contains(.port) { state.attributes.port_num = wanted.port_num }
        if mask.contains(.path) { state.attributes.ah_attr = wanted.ah_attr }
        if mask.contains(.pathMTU) { state.attributes.path_mtu = wanted.path_mtu }
        if mask.contains(.timeout) { state.attributes.timeout = wanted.timeout }
        if mask.contains(.retries) { state.attributes.retry_cnt = wanted.retry_cnt }
        // SAFETY: as above.
        if mask.contains(.receiverRetries) { state.attributes.rnr_retry = wanted.rnr_retry }
        if mask.contains(.receiveNumber) { state.attributes.rq_psn = wanted.rq_psn }
        if mask.contains(.sendNumber) { state.attributes.sq_psn = wanted.sq_psn }
        if mask.contains(.readLimit) { state.attributes.max_rd_atomic = wanted.max_rd_atomic }
        // SAFETY: as above.
        if mask.contains(.servedReads) { state.attributes.max_dest_rd_atomic = wanted.max_dest_rd_atomic }
        if mask.contains(.receiverTimer) { state.attributes.min_rnr_timer = wanted.min_rnr_timer }
        if mask.contains(.remoteQueuePair) { state.attributes.dest_qp_num = wanted.dest_qp_num }
    }

    private func enter(_ next: QueuePairState, from current: QueuePairState) -> Int32 {
        switch next {
        case .reset:
            quiesce()
            state.peer = nil
            state.state = .reset
        case .error: enterError()
        case .initialized: state.state = .initialized
        case .readyToReceive, .readyToSend:
            // While transfers ended it may have failed.
            guard state.state == current else { return VerbsError.invalid }
            guard openMemory() else {
                closeMemory()
                return VerbsError.noMemory
            }
            state.state = next
            if state.service == .connected { HelperThread.start(for: state.adapter) }
            work(now: MonotonicClock.nanoseconds())
            if hasWork { becomeBusy() }
        }
        // SAFETY: a number of the structure.
        unsafe state.view.state = state.state.code
        return 0
    }
}
