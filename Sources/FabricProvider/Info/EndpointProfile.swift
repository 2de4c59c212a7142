import CLibfabric
import MPIBridge
import NicDriver

/// What one type of endpoint can do and where its limits are: fi_getinfo(3) as data. Each field is named after the one that it
/// becomes in libfabric's structures.
struct EndpointProfile: Sendable {
    struct Transmit: Equatable, Sendable {
        var caps: UInt64
        var opFlags: UInt64
        var msgOrder: UInt64
        /// Bytes.
        var injectSize: Int
        /// Operations under way.
        var size: Int
        var iovLimit: Int
        var rmaIovLimit: Int
    }

    struct Receive: Equatable, Sendable {
        var caps: UInt64
        var opFlags: UInt64
        var msgOrder: UInt64
        /// Receives that are posted.
        var size: Int
        var iovLimit: Int
        /// Bytes of messages that came before their receive.
        var totalBufferedRecv: Int
    }

    struct Domain: Equatable, Sendable {
        var threading: fi_threading
        var controlProgress: fi_progress
        var dataProgress: fi_progress
        var resourceManagement: fi_resource_mgmt
        /// FI_AV_UNSPEC: either kind.
        var avType: fi_av_type
        /// 0: regions have keys that the application chooses and are addressed from their start.
        var mrMode: Int32
        var mrKeySize: Int
        var cqDataSize: Int
        var cqCount: Int
        var epCount: Int
        var counterCount: Int
        var mrIovLimit: Int
        var mrCount: Int
        var caps: UInt64
    }

    var type: fi_ep_type
    var caps: UInt64
    var mode: UInt64
    var addressFormat: UInt32
    var `protocol`: UInt32
    var protocolVersion: UInt32
    /// Bytes.
    var maxMessageSize: Int
    var tagFormat: UInt64
    var transmit: Transmit
    var receive: Receive
    var domain: Domain
}

extension EndpointProfile {
    /// The addresses of ``EndpointAddress``; a provider's own format has the highest bit set (rdma/fabric.h, FI_PROV_SPECIFIC).
    static let addressFormat = UInt32(FI_PROV_SPECIFIC) | 0x756e
    /// Likewise a provider's own protocol.
    static let reliableProtocol = UInt32(FI_PROV_SPECIFIC) | 0x756e
    /// Bytes of operands and comparands that one atomic call may have: what a frame of the shortest MTU has room for (576 bytes, of which
    /// 106 are headers), in whole elements.
    static let atomicByteCount = 464
    static let datagramProtocol = UInt32(FI_PROV_SPECIFIC) | 0x756f

    private static let transmitFlags: UInt64 =
        FI_COMPLETION | FI_INJECT | FI_INJECT_COMPLETE | FI_TRANSMIT_COMPLETE | FI_DELIVERY_COMPLETE | FI_MATCH_COMPLETE
    private static let reach: UInt64 = FI_LOCAL_COMM | FI_REMOTE_COMM

    private static let domain = Domain(
        threading: FI_THREAD_SAFE, controlProgress: FI_PROGRESS_AUTO, dataProgress: FI_PROGRESS_MANUAL, resourceManagement: FI_RM_ENABLED,
        avType: FI_AV_UNSPEC, mrMode: 0, mrKeySize: 8, cqDataSize: 8, cqCount: 1024, epCount: 256, counterCount: 1024, mrIovLimit: 1,
        mrCount: 65_536, caps: reach)

    /// Reliable messages, with tags and without, and access to registered memory.
    static let reliable = EndpointProfile(
        type: FI_EP_RDM,
        caps: FI_MSG | FI_TAGGED | FI_RMA | FI_ATOMIC | FI_SEND | FI_RECV | FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE
            | FI_MULTI_RECV
            | FI_DIRECTED_RECV | FI_SOURCE | FI_RMA_EVENT | reach,
        mode: 0, addressFormat: addressFormat, protocol: reliableProtocol, protocolVersion: 1, maxMessageSize: 1 << 40, tagFormat: .max,
        transmit: Transmit(
            caps: FI_MSG | FI_TAGGED | FI_RMA | FI_ATOMIC | FI_SEND | FI_READ | FI_WRITE | reach, opFlags: transmitFlags,
            msgOrder: FI_ORDER_SAS,
            injectSize: 1024, size: 4096, iovLimit: 4, rmaIovLimit: 1),
        receive: Receive(
            caps: FI_MSG | FI_TAGGED | FI_RMA | FI_ATOMIC | FI_RECV | FI_REMOTE_READ | FI_REMOTE_WRITE | FI_MULTI_RECV | FI_DIRECTED_RECV
                | FI_SOURCE
                | FI_RMA_EVENT | reach,
            opFlags: FI_COMPLETION | FI_MULTI_RECV, msgOrder: FI_ORDER_SAS, size: 65_536, iovLimit: 4, totalBufferedRecv: 64 << 20),
        domain: domain)

    /// Messages of one frame, as lossy and unordered as the network.
    /// - Parameter frameByteCount: of the longest frame, without FCS.
    static func datagram(frameByteCount: Int) -> EndpointProfile {
        var profile = reliable
        profile.type = FI_EP_DGRAM
        profile.caps = FI_MSG | FI_SEND | FI_RECV | FI_SOURCE | reach
        profile.protocol = datagramProtocol
        profile.maxMessageSize = frameByteCount - DatagramEndpoint.headerByteCount
        profile.tagFormat = 0
        profile.transmit.caps = FI_MSG | FI_SEND | reach
        profile.transmit.msgOrder = 0
        profile.transmit.injectSize = min(profile.maxMessageSize, profile.transmit.injectSize)
        profile.transmit.rmaIovLimit = 0
        profile.receive.caps = FI_MSG | FI_RECV | FI_SOURCE | reach
        profile.receive.opFlags = FI_COMPLETION
        profile.receive.msgOrder = 0
        profile.receive.totalBufferedRecv = 0
        return profile
    }

    /// What a device serves, the most able first.
    static func all(device: String) -> [EndpointProfile] {
        [reliable, datagram(frameByteCount: PortOptions.transport(for: device).maximumFrameByteCount)]
    }
}

/// How capabilities are asked for (fi_getinfo(3), CAPABILITIES).
enum CapabilityKind {
    static let messageDirections: UInt64 = FI_SEND | FI_RECV
    static let memoryDirections: UInt64 = FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE
    /// Given only to those who ask, with their modifiers. FI_RMA_EVENT is a secondary one, and costs something for each access.
    static let primary: UInt64 =
        FI_MSG | FI_RMA | FI_TAGGED | FI_ATOMIC | FI_MULTICAST | FI_NAMED_RX_CTX | FI_DIRECTED_RECV | FI_VARIABLE_MSG | FI_HMEM
        | FI_COLLECTIVE | FI_RMA_EVENT | messageDirections | memoryDirections

    /// What one gets who asks for `wanted` (0: everything) of what `offered` has.
    static func granted(offered: UInt64, wanted: UInt64) -> UInt64 {
        let secondary = offered & ~primary
        guard wanted != 0 else { return offered }
        var caps = wanted & offered & primary | secondary
        if caps & (FI_MSG | FI_TAGGED) != 0, caps & messageDirections == 0 { caps |= offered & messageDirections }
        if caps & (FI_RMA | FI_ATOMIC) != 0, caps & memoryDirections == 0 { caps |= offered & memoryDirections }
        return caps
    }
}
