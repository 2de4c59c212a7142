import CVerbs

/// Of a queue pair: ibv_qp_state (infiniband/verbs.h). Draining (SQD) is not offered, and no error stops the send queue alone (SQE).
enum QueuePairState: UInt8, BitwiseCopyable, CaseIterable {
    case reset, initialized, readyToReceive, readyToSend, error

    init?(_ state: ibv_qp_state) {
        switch state {
        case IBV_QPS_RESET: self = .reset
        case IBV_QPS_INIT: self = .initialized
        case IBV_QPS_RTR: self = .readyToReceive
        case IBV_QPS_RTS: self = .readyToSend
        case IBV_QPS_ERR: self = .error
        default: return nil
        }
    }

    var code: ibv_qp_state {
        switch self {
        case .reset: IBV_QPS_RESET
        case .initialized: IBV_QPS_INIT
        case .readyToReceive: IBV_QPS_RTR
        case .readyToSend: IBV_QPS_RTS
        case .error: IBV_QPS_ERR
        }
    }

    /// Receives may be posted (ibv_post_recv(3)); in the error state they are flushed at once.
    var takesReceives: Bool { self != .reset }
    var takesSends: Bool { self == .readyToSend || self == .error }
    /// Messages are delivered.
    var receives: Bool { self == .readyToReceive || self == .readyToSend }
}

/// What a queue pair carries: ibv_qp_type.
enum QueuePairService: UInt8, BitwiseCopyable {
    case datagram, connected

    init?(_ type: ibv_qp_type) {
        switch type {
        case IBV_QPT_UD: self = .datagram
        case IBV_QPT_RC: self = .connected
        default: return nil
        }
    }

    var code: ibv_qp_type { self == .datagram ? IBV_QPT_UD : IBV_QPT_RC }
}

/// What a call of modify_qp sets: ibv_qp_attr_mask.
struct QueuePairAttributes: OptionSet, BitwiseCopyable, Sendable {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ mask: ibv_qp_attr_mask) { rawValue = mask.rawValue }
    static let state = Self(IBV_QP_STATE), currentState = Self(IBV_QP_CUR_STATE), access = Self(IBV_QP_ACCESS_FLAGS)
    static let partition = Self(IBV_QP_PKEY_INDEX), port = Self(IBV_QP_PORT), queueKey = Self(IBV_QP_QKEY), path = Self(IBV_QP_AV)
    static let pathMTU = Self(IBV_QP_PATH_MTU), timeout = Self(IBV_QP_TIMEOUT), retries = Self(IBV_QP_RETRY_CNT)
    static let receiverRetries = Self(IBV_QP_RNR_RETRY), receiveNumber = Self(IBV_QP_RQ_PSN), sendNumber = Self(IBV_QP_SQ_PSN)
    static let readLimit = Self(IBV_QP_MAX_QP_RD_ATOMIC), servedReads = Self(IBV_QP_MAX_DEST_RD_ATOMIC)
    static let receiverTimer = Self(IBV_QP_MIN_RNR_TIMER), remoteQueuePair = Self(IBV_QP_DEST_QPN)

    /// What a step of the state has to set and may set (linux, drivers/infiniband/core/verbs.c, qp_state_table; ibv_modify_qp(3)),
    /// without alternate paths, which are not offered. nil: there is no such step.
    static func rules(
        from: QueuePairState, to: QueuePairState, service: QueuePairService
    ) -> (required: QueuePairAttributes, optional: QueuePairAttributes)? {
        let isConnected = service == .connected
        switch (from, to) {
        case (_, .reset), (_, .error): return ([], [])
        case (.reset, .initialized): return ([.partition, .port, isConnected ? .access : .queueKey], [])
        case (.initialized, .initialized): return ([], [.partition, .port, isConnected ? .access : .queueKey])
        case (.initialized, .readyToReceive):
            return isConnected
                ? ([.path, .pathMTU, .remoteQueuePair, .receiveNumber, .servedReads, .receiverTimer], [.access, .partition])
                : ([], [.partition, .queueKey])
        case (.readyToReceive, .readyToSend):
            return isConnected
                ? ([.timeout, .retries, .receiverRetries, .sendNumber, .readLimit], [.currentState, .access, .receiverTimer])
                : ([.sendNumber], [.currentState, .queueKey])
        case (.readyToSend, .readyToSend):
            return ([], isConnected ? [.currentState, .access, .receiverTimer] : [.currentState, .queueKey])
        default: return nil
        }
    }

    /// Whether a call that sets these may take a queue pair from one state to another.
    func allow(from: QueuePairState, to: QueuePairState, service: QueuePairService) -> Bool {
        guard let rules = Self.rules(from: from, to: to, service: service) else { return false }
        return isSuperset(of: rules.required) && subtracting(rules.required).subtracting(rules.optional).subtracting(.state).isEmpty
    }
}
