import CVerbs
import MPIBridge

/// A send request, from post_send to its completion.
struct SendWork: BitwiseCopyable {
    enum Operation: UInt8, BitwiseCopyable { case send, write, writeImmediate, read }

    enum Stage: UInt8, BitwiseCopyable {
        case waiting
        /// The transport has it.
        case begun
        /// All of it was sent: complete when the peer has acknowledged ``SendWork/mark``.
        case sent
        /// Of a write with immediate data: the data is there, the peer has to be told.
        case tellDue
        case done
    }

    struct Options: OptionSet, BitwiseCopyable {
        let rawValue: UInt8
        /// A completion is wanted also if all goes well.
        static let signaled = Options(rawValue: 1 << 0)
        static let fenced = Options(rawValue: 1 << 1)
        static let solicited = Options(rawValue: 1 << 2)
        static let immediate = Options(rawValue: 1 << 3)
    }

    var wrID: UInt64
    var operation: Operation
    var options: Options
    var stage = Stage.waiting
    var status = WorkStatus.success
    var memory: ApplicationMemory
    /// As it lies in memory: the interface has it in network byte order.
    var immediate: UInt32 = 0
    /// Of remote memory.
    var remoteAddress: UInt64 = 0
    var remoteKey: UInt32 = 0
    /// See ``Stage/sent``.
    var mark: UInt32 = 0
    /// Of datagrams: the peer, its queue pair and that one's key.
    var peer: UInt32 = 0
    var remoteQueuePair: UInt32 = 0
    var remoteQueueKey: UInt32 = 0

    init(wrID: UInt64, operation: Operation, options: Options, memory: ApplicationMemory) {
        self.wrID = wrID
        self.operation = operation
        self.options = options
        self.memory = memory
    }

    var opcode: WorkCompletion.Opcode {
        switch operation {
        case .send: .send
        case .write, .writeImmediate: .write
        case .read: .read
        }
    }
}

/// A receive request, from post_recv to its completion.
struct ReceiveWork: BitwiseCopyable {
    var wrID: UInt64
    var memory: ApplicationMemory
    var isDone = false
    var status = WorkStatus.success
    var byteCount: UInt32 = 0
    var flags: ConnectedFlags = []
    var immediate: UInt32 = 0

    init(wrID: UInt64, memory: ApplicationMemory) {
        self.wrID = wrID
        self.memory = memory
    }
}

/// How a work request ended: ibv_wc_status (infiniband/verbs.h), as far as it happens here.
enum WorkStatus: UInt8, BitwiseCopyable {
    case success, localLength, localProtection, flushed, remoteInvalidRequest, remoteAccess, retriesExceeded, general

    var code: ibv_wc_status {
        switch self {
        case .success: IBV_WC_SUCCESS
        case .localLength: IBV_WC_LOC_LEN_ERR
        case .localProtection: IBV_WC_LOC_PROT_ERR
        case .flushed: IBV_WC_WR_FLUSH_ERR
        case .remoteInvalidRequest: IBV_WC_REM_INV_REQ_ERR
        case .remoteAccess: IBV_WC_REM_ACCESS_ERR
        case .retriesExceeded: IBV_WC_RETRY_EXC_ERR
        case .general: IBV_WC_GENERAL_ERR
        }
    }

    init(_ error: TransportError?) {
        switch error {
        case nil: self = .success
        case .truncated: self = .localLength
        case .canceled: self = .flushed
        case .remoteAccess: self = .remoteAccess
        case .peerFailed, .unknownPeer, .portFailed: self = .retriesExceeded
        case .noMessage, .tooLong: self = .general
        }
    }
}
