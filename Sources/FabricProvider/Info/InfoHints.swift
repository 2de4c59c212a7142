import CLibfabric

/// What an application wants of fi_getinfo(3): its hints, read once. A part that it left out is nil; in the others 0 means that
/// it does not care.
struct InfoHints: Sendable {
    struct Endpoint: Equatable, Sendable {
        var type: fi_ep_type = FI_EP_UNSPEC
        var `protocol`: UInt32 = 0
        var protocolVersion: UInt32 = 0
        var maxMessageSize = 0
        var transmitContexts = 0
        var receiveContexts = 0
        var authenticationKeySize = 0
    }

    struct Transmit: Equatable, Sendable {
        var caps: UInt64 = 0, mode: UInt64 = 0, opFlags: UInt64 = 0, msgOrder: UInt64 = 0, compOrder: UInt64 = 0
        var injectSize = 0, size = 0, iovLimit = 0, rmaIovLimit = 0
    }

    struct Receive: Equatable, Sendable {
        var caps: UInt64 = 0, mode: UInt64 = 0, opFlags: UInt64 = 0, msgOrder: UInt64 = 0, compOrder: UInt64 = 0
        var totalBufferedRecv = 0, size = 0, iovLimit = 0
    }

    struct Domain: Equatable, Sendable {
        var name: String?
        var threading: fi_threading = FI_THREAD_UNSPEC
        var controlProgress: fi_progress = FI_PROGRESS_UNSPEC
        var dataProgress: fi_progress = FI_PROGRESS_UNSPEC
        var resourceManagement: fi_resource_mgmt = FI_RM_UNSPEC
        var avType: fi_av_type = FI_AV_UNSPEC
        var mrMode: Int32 = 0
        var cqDataSize = 0, counterCount = 0, mrIovLimit = 0, maximumErrorData = 0, mrCount = 0
        var caps: UInt64 = 0
    }

    var caps: UInt64 = 0
    var addressFormat: UInt32 = 0
    var sourceAddress: [UInt8]?
    var destinationAddress: [UInt8]?
    var fabricName: String?
    var endpoint: Endpoint?
    var transmit: Transmit?
    var receive: Receive?
    var domain: Domain?
}
