import CLibfabric

extension InfoHints {
    /// Reads what an application filled in. NULL parts stay nil.
    init(_ info: fi_info) {
        // SAFETY: here and in what follows, libfabric's contract (fi_getinfo(3)): each pointer is NULL or leads to what its type says, and lives for the
        // call. Everything is copied.
        caps = unsafe info.caps
        addressFormat = unsafe info.addr_format
        sourceAddress = unsafe Self.bytes(info.src_addr, count: info.src_addrlen)
        destinationAddress = unsafe Self.bytes(info.dest_addr, count: info.dest_addrlen)
        if let fabric = unsafe info.fabric_attr?.pointee { fabricName = unsafe Self.text(fabric.name) }
        // SAFETY: as above.
        if let attributes = unsafe info.ep_attr?.pointee { endpoint = unsafe Endpoint(attributes) }
        if let attributes = unsafe info.tx_attr?.pointee { transmit = Transmit(attributes) }
        if let attributes = unsafe info.rx_attr?.pointee { receive = Receive(attributes) }
        if let attributes = unsafe info.domain_attr?.pointee { domain = unsafe Domain(attributes) }
    }

    fileprivate static func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        // SAFETY: NULL or a C string (fi_getinfo(3)).
        unsafe pointer.map { unsafe String(cString: $0) }
    }

    /// A size_t, which is imported as a signed number.
    fileprivate static func count(_ value: Int) -> Int { value < 0 ? .max : value }

    private static func bytes(_ pointer: UnsafeMutableRawPointer?, count: Int) -> [UInt8]? {
        // SAFETY: NULL or so many bytes (fi_getinfo(3), src_addrlen, dest_addrlen); more than any address has are not read.
        guard let pointer = unsafe pointer, (1...256).contains(count) else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: pointer, count: count))
    }
}

extension InfoHints.Endpoint {
    fileprivate init(_ attributes: fi_ep_attr) {
        // SAFETY: numbers of a structure that was copied.
        type = unsafe attributes.type
        `protocol` = unsafe attributes.protocol
        protocolVersion = unsafe attributes.protocol_version
        maxMessageSize = unsafe InfoHints.count(attributes.max_msg_size)
        transmitContexts = unsafe InfoHints.count(attributes.tx_ctx_cnt)
        receiveContexts = unsafe InfoHints.count(attributes.rx_ctx_cnt)
        authenticationKeySize = unsafe InfoHints.count(attributes.auth_key_size)
    }
}

extension InfoHints.Transmit {
    fileprivate init(_ attributes: fi_tx_attr) {
        self.init(
            caps: attributes.caps, mode: attributes.mode, opFlags: attributes.op_flags, msgOrder: attributes.msg_order,
            compOrder: attributes.comp_order, injectSize: InfoHints.count(attributes.inject_size), size: InfoHints.count(attributes.size),
            iovLimit: InfoHints.count(attributes.iov_limit), rmaIovLimit: InfoHints.count(attributes.rma_iov_limit))
    }
}

extension InfoHints.Receive {
    fileprivate init(_ attributes: fi_rx_attr) {
        self.init(
            caps: attributes.caps, mode: attributes.mode, opFlags: attributes.op_flags, msgOrder: attributes.msg_order,
            compOrder: attributes.comp_order, totalBufferedRecv: InfoHints.count(attributes.total_buffered_recv),
            size: InfoHints.count(attributes.size), iovLimit: InfoHints.count(attributes.iov_limit))
    }
}

extension InfoHints.Domain {
    fileprivate init(_ attributes: fi_domain_attr) {
        // SAFETY: the name as in `text`; the rest are numbers of a structure that was copied.
        name = unsafe InfoHints.text(attributes.name)
        threading = unsafe attributes.threading
        controlProgress = unsafe attributes.control_progress
        dataProgress = unsafe attributes.data_progress
        resourceManagement = unsafe attributes.resource_mgmt
        avType = unsafe attributes.av_type
        mrMode = unsafe attributes.mr_mode
        // SAFETY: as above.
        cqDataSize = unsafe InfoHints.count(attributes.cq_data_size)
        counterCount = unsafe InfoHints.count(attributes.cntr_cnt)
        mrIovLimit = unsafe InfoHints.count(attributes.mr_iov_limit)
        maximumErrorData = unsafe InfoHints.count(attributes.max_err_data)
        mrCount = unsafe InfoHints.count(attributes.mr_cnt)
        caps = unsafe attributes.caps
    }
}
