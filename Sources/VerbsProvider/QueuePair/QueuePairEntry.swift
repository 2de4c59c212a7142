public import CVerbs
import Glibc
import LinuxIO

// Queue pairs (ibv_create_qp(3), ibv_modify_qp(3), ibv_query_qp(3)).

@c(ibv_create_qp) public func verbsCreateQueuePair(
    _ domain: UnsafeMutablePointer<ibv_pd>?, _ attributes: UnsafeMutablePointer<ibv_qp_init_attr>?
) -> UnsafeMutablePointer<ibv_qp>? {
    // SAFETY: a domain of this library, a structure, and completion queues of this library in it.
    guard let object = unsafe VerbsObject<ProtectionDomain>(view: domain), let attributes = unsafe attributes,
        let sendQueue = unsafe VerbsObject<CompletionQueue>(view: attributes.pointee.send_cq),
        let receiveQueue = unsafe VerbsObject<CompletionQueue>(view: attributes.pointee.recv_cq)
    else { return unsafe VerbsError.null(VerbsError.invalid) }
    // SAFETY: as above. There are no shared receive queues.
    let wanted = unsafe attributes.pointee
    guard let service = unsafe QueuePairService(wanted.qp_type), unsafe wanted.srq == nil else {
        return unsafe VerbsError.null(VerbsError.unsupported)
    }
    let limits = QueuePairLimits(unsafe wanted.cap)
    guard limits.isPossible else { return unsafe VerbsError.null(VerbsError.invalid) }
    let adapter = object.state.context.state.adapter
    // SAFETY: what is returned is an object of this library, or NULL.
    return unsafe adapter.locked {
        guard let number = adapter.state.queuePairs.takeNumber() else { return unsafe VerbsError.null(VerbsError.noMemory) }
        // SAFETY: the view is the object's first member; a mutex and a condition of zeros are initial ones (glibc).
        var view = unsafe ibv_qp()
        unsafe view.context = object.state.context.context
        unsafe view.qp_context = wanted.qp_context
        unsafe view.pd = domain
        unsafe view.send_cq = wanted.send_cq
        unsafe view.recv_cq = wanted.recv_cq
        // SAFETY: as above.
        unsafe view.handle = number
        unsafe view.qp_num = number
        unsafe view.state = IBV_QPS_RESET
        unsafe view.qp_type = wanted.qp_type
        let sends = WorkRing<SendWork>(capacity: Int(limits.sends))
        let inlineData = InlineData(count: sends.capacity, byteCount: Int(limits.inlineData))
        // SAFETY: as above.
        let queuePair = unsafe VerbsObject(
            VerbsQueuePair(
                view: view, adapter: adapter, service: service, domain: object.state.number, sendQueue: sendQueue,
                receiveQueue: receiveQueue, signalsAll: wanted.sq_sig_all != 0, limits: limits, sends: sends,
                receives: WorkRing(capacity: Int(limits.receives)), inlineData: inlineData))
        adapter.state.queuePairs.set(queuePair, number: number)
        sendQueue.state.users += 1
        receiveQueue.state.users += 1
        object.state.children += 1
        // SAFETY: as above.
        return unsafe queuePair.view(as: ibv_qp.self)
    }
}

@c(ibv_destroy_qp) public func verbsDestroyQueuePair(_ queuePair: UnsafeMutablePointer<ibv_qp>?) -> Int32 {
    // SAFETY: a queue pair of this library, and its domain.
    guard let object = unsafe VerbsObject<VerbsQueuePair>(view: queuePair),
        let domain = unsafe VerbsObject<ProtectionDomain>(view: object.state.view.pd)
    else { return VerbsError.invalid }
    let adapter = object.state.adapter
    adapter.locked {
        adapter.letTransfersEnd()
        object.quiesce()
        adapter.state.queuePairs.remove(object.state.number)
        object.state.sendQueue.state.users -= 1
        object.state.receiveQueue.state.users -= 1
        domain.state.children -= 1
        object.destroy()
    }
    return 0
}

@c(ibv_modify_qp) public func verbsModifyQueuePair(
    _ queuePair: UnsafeMutablePointer<ibv_qp>?, _ attributes: UnsafeMutablePointer<ibv_qp_attr>?, _ mask: Int32
) -> Int32 {
    // SAFETY: a queue pair of this library, and a structure, which is read once.
    guard let object = unsafe VerbsObject<VerbsQueuePair>(view: queuePair), let wanted = unsafe attributes?.pointee else {
        return VerbsError.invalid
    }
    return object.state.adapter.locked {
        object.modify(wanted, mask: QueuePairAttributes(rawValue: UInt32(bitPattern: mask)))
    }
}

@c(ibv_query_qp) public func verbsQueryQueuePair(
    _ queuePair: UnsafeMutablePointer<ibv_qp>?, _ attributes: UnsafeMutablePointer<ibv_qp_attr>?, _ mask: Int32,
    _ initial: UnsafeMutablePointer<ibv_qp_init_attr>?
) -> Int32 {
    // SAFETY: a queue pair of this library, and places of structures.
    guard let object = unsafe VerbsObject<VerbsQueuePair>(view: queuePair), let attributes = unsafe attributes else {
        return VerbsError.invalid
    }
    return object.state.adapter.locked {
        var result = object.state.attributes
        // SAFETY: as above.
        result.qp_state = object.state.state.code
        result.cur_qp_state = object.state.state.code
        result.cap = object.state.limits.code
        unsafe attributes.pointee = result
        guard let initial = unsafe initial else { return 0 }
        // SAFETY: as above.
        let view = unsafe object.state.view
        unsafe initial.pointee = ibv_qp_init_attr(
            qp_context: view.qp_context, send_cq: view.send_cq, recv_cq: view.recv_cq, srq: nil, cap: object.state.limits.code,
            qp_type: view.qp_type, sq_sig_all: object.state.signalsAll ? 1 : 0)
        return 0
    }
}

@c(ibv_query_qp_data_in_order) public func verbsQueryDataInOrder(
    _ queuePair: UnsafeMutablePointer<ibv_qp>?, _ opcode: ibv_wr_opcode, _ flags: UInt32
) -> Int32 { 0 }

/// There are no extended queue pairs: nobody has made one.
@c(ibv_qp_to_qp_ex) public func verbsExtendedQueuePair(_ queuePair: UnsafeMutablePointer<ibv_qp>?) -> UnsafeMutablePointer<ibv_qp_ex>? {
    nil
}

@c(ibv_set_ece) public func verbsSetEnhancements(
    _ queuePair: UnsafeMutablePointer<ibv_qp>?, _ enhancements: UnsafeMutablePointer<ibv_ece>?
) -> Int32 { VerbsError.unsupported }
@c(ibv_query_ece) public func verbsQueryEnhancements(
    _ queuePair: UnsafeMutablePointer<ibv_qp>?, _ enhancements: UnsafeMutablePointer<ibv_ece>?
) -> Int32 { VerbsError.unsupported }

// Shared receive queues (ibv_create_srq(3)) are not offered. SAFETY: NULL.

@c(ibv_create_srq) public func verbsCreateSharedQueue(
    _ domain: UnsafeMutablePointer<ibv_pd>?, _ attributes: UnsafeMutablePointer<ibv_srq_init_attr>?
) -> UnsafeMutablePointer<ibv_srq>? { unsafe VerbsError.null(VerbsError.unsupported) }
@c(ibv_modify_srq) public func verbsModifySharedQueue(
    _ queue: UnsafeMutablePointer<ibv_srq>?, _ attributes: UnsafeMutablePointer<ibv_srq_attr>?, _ mask: Int32
) -> Int32 { VerbsError.unsupported }
@c(ibv_query_srq) public func verbsQuerySharedQueue(
    _ queue: UnsafeMutablePointer<ibv_srq>?, _ attributes: UnsafeMutablePointer<ibv_srq_attr>?
) -> Int32 { VerbsError.unsupported }
@c(ibv_destroy_srq) public func verbsDestroySharedQueue(_ queue: UnsafeMutablePointer<ibv_srq>?) -> Int32 { VerbsError.unsupported }

extension QueuePairLimits {
    init(_ cap: ibv_qp_cap) {
        self.init(
            sends: cap.max_send_wr, receives: cap.max_recv_wr, sendPieces: cap.max_send_sge, receivePieces: cap.max_recv_sge,
            inlineData: cap.max_inline_data)
    }

    var code: ibv_qp_cap {
        ibv_qp_cap(
            max_send_wr: sends, max_recv_wr: receives, max_send_sge: sendPieces, max_recv_sge: receivePieces, max_inline_data: inlineData)
    }
}
