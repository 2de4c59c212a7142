import CVerbs
import MPIBridge

/// A queue pair (ibv_create_qp(3)).
@safe struct VerbsQueuePair: ~Copyable {
    var view: ibv_qp
    let adapter: VerbsObject<Adapter>
    let service: QueuePairService
    /// Of its protection domain.
    let domain: UInt32
    let sendQueue: VerbsObject<CompletionQueue>
    let receiveQueue: VerbsObject<CompletionQueue>
    /// Every send completes, whatever it asks for (sq_sig_all).
    let signalsAll: Bool
    let limits: QueuePairLimits
    /// As they were set last; reading them is all that they are for, where nothing else is said.
    var attributes = ibv_qp_attr()

    var state = QueuePairState.reset
    var sends: WorkRing<SendWork>
    var receives: WorkRing<ReceiveWork>
    /// Copies of inline data: a piece for each place of the send ring.
    let inlineData: InlineData
    /// It is in the adapter's list of busy ones.
    var isBusy = false
    /// Its completions are nobody's any more.
    var isSilent = false

    var queueKey: UInt32 = 0
    // Connected ones.
    var peer: PeerID?
    var remoteNumber: UInt32 = 0
    var access = MemoryAccess()
    var order = SendOrder()
    var readiness = PeerReadiness()
    /// Keys of regions that peers can reach through this one are registered with the transport.
    var opensMemory = false

    // SAFETY: a number of the structure.
    var number: UInt32 { unsafe view.qp_num }
}

/// What a queue pair was made for.
struct QueuePairLimits: Equatable, BitwiseCopyable {
    var sends: UInt32
    var receives: UInt32
    var sendPieces: UInt32
    var receivePieces: UInt32
    /// Bytes.
    var inlineData: UInt32

    static let requests: UInt32 = 16_384
    static let pieces = UInt32(ApplicationMemory.maximumPieceCount)
    static let inlineLimit: UInt32 = 1024

    /// Whether a port can give so much.
    var isPossible: Bool {
        sends <= Self.requests && receives <= Self.requests && sendPieces <= Self.pieces && receivePieces <= Self.pieces
            && inlineData <= Self.inlineLimit
    }
}

extension VerbsObject where State == VerbsQueuePair {
    /// Send requests are there that nothing but progress brings further.
    var hasWork: Bool { !state.sends.isEmpty || state.service == .connected && state.receives.hasWaiting && state.state.receives }

    /// Has progress look at it.
    func becomeBusy() {
        guard !state.isBusy else { return }
        state.isBusy = true
        state.adapter.state.busy.append(state.number)
    }

    /// Begins send requests as far as they may, and completes those that have ended. The caller holds the adapter's lock.
    func work(now: UInt64) {
        switch state.service {
        case .datagram: sendDatagrams(now: now)
        case .connected:
            postReceives(now: now)
            beginSends(now: now)
            completeSends()
        }
    }

    // Completions.

    func complete(_ work: SendWork) {
        guard work.status != .success || work.options.contains(.signaled), !state.isSilent else { return }
        var completion = WorkCompletion(wrID: work.wrID, status: work.status, opcode: work.opcode, queuePair: state.number)
        completion.byteCount = UInt32(truncatingIfNeeded: work.memory.byteCount)
        state.sendQueue.append(completion, isSolicited: false)
    }

    func flushed(_ wrID: UInt64, isReceive: Bool) {
        guard !state.isSilent else { return }
        let completion = WorkCompletion(wrID: wrID, status: .flushed, opcode: isReceive ? .receive : .send, queuePair: state.number)
        (isReceive ? state.receiveQueue : state.sendQueue).append(completion, isSolicited: false)
    }
}
