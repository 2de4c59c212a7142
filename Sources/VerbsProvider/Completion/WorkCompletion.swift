import CVerbs

/// The end of a work request: ibv_wc (infiniband/verbs.h), as far as it is used here.
struct WorkCompletion: Equatable, BitwiseCopyable {
    enum Opcode: UInt8 { case send, write, read, receive, receiveWrite }

    var wrID: UInt64
    var status: WorkStatus
    var opcode: Opcode
    /// Bytes; of a datagram with its route header.
    var byteCount: UInt32 = 0
    var queuePair: UInt32
    var sourceQueuePair: UInt32 = 0
    /// As it lies in memory. nil: none came along.
    var immediate: UInt32?
    var hasRouteHeader = false

    init(wrID: UInt64, status: WorkStatus, opcode: Opcode, queuePair: UInt32) {
        self.wrID = wrID
        self.status = status
        self.opcode = opcode
        self.queuePair = queuePair
    }

    var code: ibv_wc {
        var code = ibv_wc()
        code.wr_id = wrID
        code.status = status.code
        code.opcode =
            switch opcode {
            case .send: IBV_WC_SEND
            case .write: IBV_WC_RDMA_WRITE
            case .read: IBV_WC_RDMA_READ
            case .receive: IBV_WC_RECV
            case .receiveWrite: IBV_WC_RECV_RDMA_WITH_IMM
            }
        code.byte_len = byteCount
        code.qp_num = queuePair
        code.src_qp = sourceQueuePair
        if hasRouteHeader { code.wc_flags |= IBV_WC_GRH.rawValue }
        if let immediate {
            code.wc_flags |= IBV_WC_WITH_IMM.rawValue
            code.imm_data = immediate
        }
        return code
    }
}
