import CLibfabric
import Glibc

/// Writes an `fi_info`. libfabric frees it piece by piece with free(3) (fi_freeinfo), so that each piece is of malloc(3).
enum InfoRecord {
    /// Later versions of libfabric have more members at the end of some structures: they are there, and zero.
    private static let room = 256

    private static func allocate<Value>(_: Value.Type) -> UnsafeMutablePointer<Value>? {
        // SAFETY: zeroed memory with room for the type, all of whose members may be zero (C structures).
        unsafe calloc(1, MemoryLayout<Value>.size + room)?.assumingMemoryBound(to: Value.self)
    }

    private static func copy(_ bytes: [UInt8]?) -> UnsafeMutableRawPointer? {
        guard let bytes, let memory = unsafe malloc(bytes.count) else { return nil }
        // SAFETY: fresh memory of that length.
        unsafe memory.copyMemory(from: bytes, byteCount: bytes.count)
        return unsafe memory
    }

    /// nil: no memory is left.
    static func make(
        _ profile: EndpointProfile, hints: InfoHints, apiVersion: UInt32, fabric: String, device: String
    ) -> UnsafeMutablePointer<fi_info>? {
        // SAFETY: fresh structures, written before anybody sees them. A part that could not be allocated ends the process's
        // memory anyway: what was allocated so far is left.
        guard let info = unsafe allocate(fi_info.self), let transmit = unsafe allocate(fi_tx_attr.self),
            let receive = unsafe allocate(fi_rx_attr.self), let endpoint = unsafe allocate(fi_ep_attr.self),
            let domain = unsafe allocate(fi_domain_attr.self), let fabricAttributes = unsafe allocate(fi_fabric_attr.self)
        else { return nil }
        // SAFETY: as above.
        unsafe info.pointee.caps = profile.caps
        unsafe info.pointee.mode = profile.mode
        unsafe info.pointee.addr_format = profile.addressFormat
        unsafe info.pointee.src_addr = copy(hints.sourceAddress)
        unsafe info.pointee.src_addrlen = hints.sourceAddress?.count ?? 0
        unsafe info.pointee.dest_addr = copy(hints.destinationAddress)
        // SAFETY: as above.
        unsafe info.pointee.dest_addrlen = hints.destinationAddress?.count ?? 0
        unsafe transmit.pointee = profile.transmit.attributes
        unsafe receive.pointee = profile.receive.attributes
        unsafe fill(&endpoint.pointee, profile)
        unsafe fill(&domain.pointee, profile.domain, name: device)
        // SAFETY: as above. The provider's name is libfabric's to add, together with its own bookkeeping.
        unsafe fabricAttributes.pointee.name = strdup(fabric)
        unsafe fabricAttributes.pointee.prov_version = Provider.version
        unsafe fabricAttributes.pointee.api_version = apiVersion
        unsafe info.pointee.tx_attr = transmit
        unsafe info.pointee.rx_attr = receive
        // SAFETY: as above.
        unsafe info.pointee.ep_attr = endpoint
        unsafe info.pointee.domain_attr = domain
        unsafe info.pointee.fabric_attr = fabricAttributes
        return unsafe info
    }

    private static func fill(_ attributes: inout fi_ep_attr, _ profile: EndpointProfile) {
        // SAFETY: numbers of a fresh structure.
        unsafe attributes.type = profile.type
        unsafe attributes.protocol = profile.protocol
        unsafe attributes.protocol_version = profile.protocolVersion
        unsafe attributes.max_msg_size = profile.maxMessageSize
        unsafe attributes.mem_tag_format = profile.tagFormat
        // SAFETY: as above.
        unsafe attributes.tx_ctx_cnt = 1
        unsafe attributes.rx_ctx_cnt = 1
    }

    private static func fill(_ attributes: inout fi_domain_attr, _ domain: EndpointProfile.Domain, name: String) {
        // SAFETY: a fresh structure; the name is of malloc(3), as fi_freeinfo wants it.
        unsafe attributes.name = strdup(name)
        unsafe attributes.threading = domain.threading
        unsafe attributes.control_progress = domain.controlProgress
        unsafe attributes.data_progress = domain.dataProgress
        unsafe attributes.resource_mgmt = domain.resourceManagement
        unsafe attributes.av_type = domain.avType
        unsafe attributes.mr_mode = domain.mrMode
        // SAFETY: as above.
        unsafe attributes.mr_key_size = domain.mrKeySize
        unsafe attributes.cq_data_size = domain.cqDataSize
        unsafe attributes.cq_cnt = domain.cqCount
        unsafe attributes.ep_cnt = domain.epCount
        unsafe attributes.tx_ctx_cnt = domain.epCount
        unsafe attributes.rx_ctx_cnt = domain.epCount
        // SAFETY: as above.
        unsafe attributes.max_ep_tx_ctx = 1
        unsafe attributes.max_ep_rx_ctx = 1
        unsafe attributes.cntr_cnt = domain.counterCount
        unsafe attributes.mr_iov_limit = domain.mrIovLimit
        unsafe attributes.mr_cnt = domain.mrCount
        unsafe attributes.caps = domain.caps
    }
}

extension EndpointProfile.Transmit {
    fileprivate var attributes: fi_tx_attr {
        var attributes = fi_tx_attr()
        attributes.caps = caps
        attributes.op_flags = opFlags
        attributes.msg_order = msgOrder
        attributes.inject_size = injectSize
        attributes.size = size
        attributes.iov_limit = iovLimit
        attributes.rma_iov_limit = rmaIovLimit
        return attributes
    }
}

extension EndpointProfile.Receive {
    fileprivate var attributes: fi_rx_attr {
        var attributes = fi_rx_attr()
        attributes.caps = caps
        attributes.op_flags = opFlags
        attributes.msg_order = msgOrder
        attributes.total_buffered_recv = totalBufferedRecv
        attributes.size = size
        attributes.iov_limit = iovLimit
        return attributes
    }
}
