import CVerbs
import LinuxIO
import MPIBridge

// post_send and post_recv of infiniband/verbs.h (ibv_post_send(3), ibv_post_recv(3)). Lists are taken up to the first request that
// is wrong, which the program is told.

func verbsPostSend(
    _ queuePair: UnsafeMutablePointer<ibv_qp>?, _ requests: UnsafeMutablePointer<ibv_send_wr>?,
    _ bad: UnsafeMutablePointer<UnsafeMutablePointer<ibv_send_wr>?>?
) -> Int32 {
    // SAFETY: a queue pair of this library, a list of requests, a pointer's place.
    guard let object = unsafe VerbsObject<VerbsQueuePair>(view: queuePair) else { return VerbsError.invalid }
    return object.state.adapter.locked {
        var code: Int32 = 0
        var next = unsafe requests
        while let request = unsafe next {
            code = unsafe object.post(request.pointee)
            if code != 0 {
                // SAFETY: as above.
                unsafe bad?.pointee = request
                break
            }
            unsafe next = request.pointee.next
        }
        object.sendsWerePosted()
        return code
    }
}

func verbsPostReceive(
    _ queuePair: UnsafeMutablePointer<ibv_qp>?, _ requests: UnsafeMutablePointer<ibv_recv_wr>?,
    _ bad: UnsafeMutablePointer<UnsafeMutablePointer<ibv_recv_wr>?>?
) -> Int32 {
    // SAFETY: a queue pair of this library, a list of requests, a pointer's place.
    guard let object = unsafe VerbsObject<VerbsQueuePair>(view: queuePair) else { return VerbsError.invalid }
    return object.state.adapter.locked {
        var code: Int32 = 0
        var next = unsafe requests
        while let request = unsafe next {
            code = unsafe object.post(request.pointee)
            if code != 0 {
                // SAFETY: as above.
                unsafe bad?.pointee = request
                break
            }
            unsafe next = request.pointee.next
        }
        object.receivesWerePosted()
        return code
    }
}

/// Pieces of memory that a request names, judged by their keys.
private enum NamedMemory {
    case good(ApplicationMemory)
    /// A key does not allow it: the request ends with an error, when its turn comes.
    case forbidden
    /// No request can be like that.
    case wrong
}

extension VerbsObject where State == VerbsQueuePair {
    fileprivate func post(_ request: ibv_recv_wr) -> Int32 {
        guard state.state.takesReceives else { return VerbsError.invalid }
        guard state.receives.count < Int(state.limits.receives) else { return VerbsError.noMemory }
        // SAFETY: the list is NULL or has so many pieces (ibv_post_recv(3)).
        switch unsafe memory(request.sg_list, count: request.num_sge, limit: state.limits.receivePieces, writes: true) {
        case .good(let memory): state.receives.append(ReceiveWork(wrID: unsafe request.wr_id, memory: memory))
        // A receive that could write nowhere is refused at once, before a message is lost to it.
        case .forbidden, .wrong: return VerbsError.invalid
        }
        return 0
    }

    fileprivate func post(_ request: ibv_send_wr) -> Int32 {
        guard state.state.takesSends else { return VerbsError.invalid }
        guard state.sends.count < Int(state.limits.sends) else { return VerbsError.noMemory }
        // SAFETY: (throughout) numbers of a structure that was copied, and members of unions by what the opcode says.
        let hasImmediate = unsafe request.opcode == IBV_WR_SEND_WITH_IMM || request.opcode == IBV_WR_RDMA_WRITE_WITH_IMM
        guard let operation = unsafe SendWork.Operation(request.opcode), state.service == .connected || operation == .send else {
            return VerbsError.unsupported
        }
        let flags = unsafe request.send_flags
        let isInline = flags & IBV_SEND_INLINE.rawValue != 0
        var options: SendWork.Options = hasImmediate ? .immediate : []
        if state.signalsAll || flags & IBV_SEND_SIGNALED.rawValue != 0 { options.insert(.signaled) }
        if flags & IBV_SEND_FENCE.rawValue != 0 { options.insert(.fenced) }
        if flags & IBV_SEND_SOLICITED.rawValue != 0 { options.insert(.solicited) }
        // SAFETY: the list is NULL or has so many pieces (ibv_post_send(3)).
        let named = unsafe memory(
            request.sg_list, count: request.num_sge, limit: state.limits.sendPieces, writes: operation == .read, isInline: isInline)
        var work = SendWork(wrID: unsafe request.wr_id, operation: operation, options: options, memory: .none)
        switch named {
        case .wrong: return VerbsError.invalid
        case .forbidden: work.status = .localProtection
        case .good(let memory):
            guard memory.byteCount <= Int(PortAttributes.longestMessage) else { return VerbsError.invalid }
            work.memory = memory
            if isInline {
                guard operation != .read, memory.byteCount <= state.inlineData.stride else { return VerbsError.invalid }
                work.memory = state.inlineData.copy(memory, to: state.sends.place(of: state.sends.tail))
            }
        }
        // SAFETY: as above.
        if hasImmediate { work.immediate = unsafe request.imm_data }
        switch state.service {
        case .connected where operation != .send:
            // SAFETY: as above.
            work.remoteAddress = unsafe request.wr.rdma.remote_addr
            work.remoteKey = unsafe request.wr.rdma.rkey
        case .connected: break
        case .datagram:
            // SAFETY: as above; the address is one of this library.
            guard let address = unsafe VerbsObject<AddressHandle>(view: request.wr.ud.ah) else { return VerbsError.invalid }
            work.peer = address.state.peer
            work.remoteQueuePair = unsafe request.wr.ud.remote_qpn & DatagramLayout.queuePairMask
            work.remoteQueueKey = queueKey(asked: unsafe request.wr.ud.remote_qkey)
        }
        state.sends.append(work)
        return 0
    }

    /// With the highest bit set the sender's own key goes along (rdma-core, ibv_post_send; InfiniBand's controlled keys).
    private func queueKey(asked: UInt32) -> UInt32 { asked >> 31 == 1 ? state.queueKey : asked }

    private func memory(
        _ pieces: UnsafeMutablePointer<ibv_sge>?, count: Int32, limit: UInt32, writes: Bool, isInline: Bool = false
    ) -> NamedMemory {
        guard count >= 0, count <= Int32(limit) else { return .wrong }
        if count == 0 { return .good(.none) }
        // SAFETY: NULL, or the list.
        guard let pieces = unsafe pieces else { return .wrong }
        var isAllowed = true
        // SAFETY: the caller's duty: so many pieces; each is read once. The memory is the request's until its completion.
        let memory = unsafe ApplicationMemory(count: Int(count)) { index in
            let piece = unsafe pieces[index]
            if isInline { return MemoryPiece(address: UInt(piece.addr), byteCount: Int(piece.length)) }
            if let found = state.adapter.state.memory.piece(
                address: piece.addr, byteCount: piece.length, key: piece.lkey, domain: state.domain, writes: writes)
            {
                return found
            }
            isAllowed = false
            return MemoryPiece(address: 0, byteCount: 0)
        }
        guard let memory else { return .wrong }
        return isAllowed ? .good(memory) : .forbidden
    }

    fileprivate func sendsWerePosted() {
        if state.state == .error { return flush() }
        work(now: MonotonicClock.nanoseconds())
        if !state.sends.isEmpty { becomeBusy() }
        state.adapter.flush()
    }

    fileprivate func receivesWerePosted() {
        if state.state == .error { return flush() }
        guard state.service == .connected, state.state.receives else { return }
        postReceives(now: MonotonicClock.nanoseconds())
        if state.receives.hasWaiting { becomeBusy() }
    }
}

extension SendWork.Operation {
    fileprivate init?(_ opcode: ibv_wr_opcode) {
        switch opcode {
        case IBV_WR_SEND, IBV_WR_SEND_WITH_IMM: self = .send
        case IBV_WR_RDMA_WRITE: self = .write
        case IBV_WR_RDMA_WRITE_WITH_IMM: self = .writeImmediate
        case IBV_WR_RDMA_READ: self = .read
        default: return nil
        }
    }
}
