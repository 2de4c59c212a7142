public import CVerbs
import DeviceMemory
import Glibc

// Addresses of datagrams (ibv_create_ah(3)).

@safe struct AddressHandle: ~Copyable {
    var view: ibv_ah
    let domain: VerbsObject<ProtectionDomain>
    /// Of the adapter's datagram peers.
    let peer: UInt32
}

@c(ibv_create_ah) public func verbsCreateAddress(
    _ domain: UnsafeMutablePointer<ibv_pd>?, _ attributes: UnsafeMutablePointer<ibv_ah_attr>?
) -> UnsafeMutablePointer<ibv_ah>? {
    // SAFETY: a domain of this library, and a structure.
    guard let object = unsafe VerbsObject<ProtectionDomain>(view: domain), let attributes = unsafe attributes?.pointee,
        let name = PortName(route: attributes)
    else { return unsafe VerbsError.null(VerbsError.invalid) }
    let adapter = object.state.context.state.adapter
    return unsafe adapter.locked {
        guard let peer = adapter.state.datagrams.named(name) else { return unsafe VerbsError.null(VerbsError.noMemory) }
        object.state.children += 1
        // SAFETY: the view is the object's first member.
        let view = unsafe ibv_ah(context: object.state.context.context, pd: domain, handle: peer)
        return unsafe VerbsObject(AddressHandle(view: view, domain: object, peer: peer)).view(as: ibv_ah.self)
    }
}

@c(ibv_destroy_ah) public func verbsDestroyAddress(_ address: UnsafeMutablePointer<ibv_ah>?) -> Int32 {
    // SAFETY: an address of this library.
    guard let object = unsafe VerbsObject<AddressHandle>(view: address) else { return VerbsError.invalid }
    object.state.domain.state.context.state.adapter.locked {
        object.state.domain.state.children -= 1
        object.destroy()
    }
    return 0
}

/// Whoever sent a datagram, from its route header.
@c(ibv_init_ah_from_wc) public func verbsInitializeAddress(
    _ context: UnsafeMutablePointer<ibv_context>?, _ port: UInt8, _ completion: UnsafeMutablePointer<ibv_wc>?,
    _ header: UnsafeMutablePointer<ibv_grh>?, _ attributes: UnsafeMutablePointer<ibv_ah_attr>?
) -> Int32 {
    // SAFETY: structures; the header is the 40 bytes in front of a datagram.
    guard let completion = unsafe completion?.pointee, let header = unsafe header, let attributes = unsafe attributes,
        completion.wc_flags & IBV_WC_GRH.rawValue != 0, port == PortAttributes.portNumber,
        let name = unsafe RouteHeader.source(MemoryWindow(UnsafeMutableRawPointer(header), byteCount: RouteHeader.byteCount))
    else {
        errno = VerbsError.invalid
        return -1
    }
    var result = ibv_ah_attr()
    // SAFETY: numbers of a local, and a structure's place.
    result.grh.dgid = name.gid
    result.grh.hop_limit = 64
    result.is_global = 1
    result.port_num = port
    unsafe attributes.pointee = result
    return 0
}

@c(ibv_create_ah_from_wc) public func verbsCreateAddressFrom(
    _ domain: UnsafeMutablePointer<ibv_pd>?, _ completion: UnsafeMutablePointer<ibv_wc>?, _ header: UnsafeMutablePointer<ibv_grh>?,
    _ port: UInt8
) -> UnsafeMutablePointer<ibv_ah>? {
    var attributes = ibv_ah_attr()
    // SAFETY: checked there.
    guard unsafe verbsInitializeAddress(domain?.pointee.context, port, completion, header, &attributes) == 0 else { return nil }
    return unsafe verbsCreateAddress(domain, &attributes)
}

@c(ibv_attach_mcast) public func verbsAttachMulticast(
    _ queuePair: UnsafeMutablePointer<ibv_qp>?, _ gid: UnsafePointer<ibv_gid>?, _ lid: UInt16
) -> Int32 { VerbsError.unsupported }
@c(ibv_detach_mcast) public func verbsDetachMulticast(
    _ queuePair: UnsafeMutablePointer<ibv_qp>?, _ gid: UnsafePointer<ibv_gid>?, _ lid: UInt16
) -> Int32 { VerbsError.unsupported }

extension PortName {
    /// Where a path leads. nil: not to a port of this kind. There are no LIDs: the path has to be a global one.
    init?(route: ibv_ah_attr) {
        // SAFETY: numbers of a structure that was copied.
        guard route.is_global != 0, route.port_num == PortAttributes.portNumber, route.grh.sgid_index == 0 else {
            return nil
        }
        self.init(route.grh.dgid)
    }
}
