import CLibfabric
import MPIBridge

/// What an application reads of one operation's end. The first 48 bytes lie as libfabric's formats want them, each of which is a
/// beginning of the next (rdma/fi_eq.h: fi_cq_entry 8, fi_cq_msg_entry 24, fi_cq_data_entry 40, fi_cq_tagged_entry 48).
struct CompletionRecord: BitwiseCopyable, Sendable {
    var context: UInt = 0
    var flags: UInt64 = 0
    var byteCount: Int = 0
    var buffer: UInt = 0
    var data: UInt64 = 0
    var tag: UInt64 = 0
    /// Who sent it, as the address vector numbers him.
    var source: UInt64 = .max
    /// Bytes of the message that had no room.
    var truncated: Int = 0
    /// A positive errno of libfabric; 0: all went well.
    var error: Int32 = 0
    /// ``TransportError``'s number.
    var detail: Int32 = 0

    /// Bytes of an entry. nil: no such format.
    static func byteCount(of format: fi_cq_format) -> Int? {
        switch format {
        case FI_CQ_FORMAT_UNSPEC, FI_CQ_FORMAT_CONTEXT: 8
        case FI_CQ_FORMAT_MSG: 24
        case FI_CQ_FORMAT_DATA: 40
        case FI_CQ_FORMAT_TAGGED: 48
        default: nil
        }
    }
}

extension CompletionRecord {
    /// - Parameter source: the sender's number in the address vector.
    @inline(__always) init(_ completion: Completion, source: UInt64) {
        context = completion.context
        flags = Self.flags(of: completion)
        byteCount = completion.byteCount
        buffer = completion.address
        data = completion.data
        tag = completion.tag
        self.source = source
        truncated = completion.truncatedByteCount
        if let error = completion.error {
            self.error = error.libfabricNumber
            detail = Int32(error.rawValue)
        }
    }

    /// fi_cq(3), completion flags.
    @inline(__always) private static func flags(of completion: Completion) -> UInt64 {
        var flags: UInt64
        let space: UInt64 = completion.space == .tagged ? FI_TAGGED : FI_MSG
        switch completion.kind {
        case .send: flags = FI_SEND | space
        case .receive, .peek: flags = FI_RECV | space
        case .read: flags = FI_RMA | FI_READ
        case .write: flags = FI_RMA | FI_WRITE
        case .fetch: flags = FI_ATOMIC | FI_READ
        case .update: flags = FI_ATOMIC | FI_WRITE
        case .remoteWrite: flags = FI_RMA | FI_REMOTE_WRITE
        case .remoteRead: flags = FI_RMA | FI_REMOTE_READ
        }
        if completion.carriesData { flags |= FI_REMOTE_CQ_DATA }
        if completion.releasesBuffer { flags |= FI_MULTI_RECV }
        return flags
    }
}

extension TransportError {
    /// In libfabric's terms (rdma/fi_errno.h), positive.
    var libfabricNumber: Int32 {
        switch self {
        case .truncated: -FabricError.truncated
        case .canceled: -FabricError.canceled
        case .peerFailed: -FabricError.connectionReset
        case .noMessage: -FabricError.noMessage
        case .remoteAccess: -FabricError.noAccess
        case .tooLong: -FabricError.tooLong
        case .unknownPeer: -FabricError.unreachable
        case .portFailed: -FabricError.networkDown
        }
    }

    var text: String {
        switch self {
        case .truncated: "the message was longer than the receive's memory"
        case .canceled: "the receive was canceled"
        case .peerFailed: "the peer is dead, was silent for too long, or broke the protocol"
        case .noMessage: "no message matches"
        case .remoteAccess: "the peer refused access to its memory: unknown key, outside of the region, or not allowed"
        case .tooLong: "the message is longer than can be injected"
        case .unknownPeer: "the peer is not known"
        case .portFailed: "the NIC failed"
        }
    }
}

extension CompletionRecord {
    /// A claimed message that was thrown away.
    static func discarded(space: MessageSpace, context: UInt) -> CompletionRecord {
        CompletionRecord(context: context, flags: FI_RECV | (space == .tagged ? FI_TAGGED : FI_MSG))
    }
}
