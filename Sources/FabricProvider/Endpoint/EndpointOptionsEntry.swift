import CLibfabric

/// C functions of an endpoint's options and cancellation (fi_endpoint(3)).
enum EndpointOptionsEntry {
    private typealias Endpoint = FabricObject<OpenEndpoint>

    static let operations: CFunctionTable<fi_ops_ep> = {
        // SAFETY: a C structure of function pointers; every one of them is set; each checks its endpoint by class.
        var operations = fi_ops_ep()
        operations.size = MemoryLayout<fi_ops_ep>.size
        unsafe operations.cancel = { endpoint, context in
            unsafe Endpoint(fid: endpoint)?.cancel(context: UInt(bitPattern: context)) ?? Int(FabricError.invalid)
        }
        // SAFETY: as above; a value is as long as its length says.
        unsafe operations.getopt = { endpoint, level, option, value, length in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let length = unsafe length else { return FabricError.invalid }
            guard level == Int32(FI_OPT_ENDPOINT), let number = endpoint.state.option(option) else { return FabricError.optionUnknown }
            guard let value = unsafe value, unsafe length.pointee >= MemoryLayout<Int>.size else { return FabricError.bufferTooSmall }
            unsafe value.storeBytes(of: number, as: Int.self)
            // SAFETY: as above.
            unsafe length.pointee = MemoryLayout<Int>.size
            return 0
        }
        // SAFETY: as above.
        unsafe operations.setopt = { endpoint, level, option, value, length in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let value = unsafe value else { return FabricError.invalid }
            guard level == Int32(FI_OPT_ENDPOINT), option == Int32(FI_OPT_MIN_MULTI_RECV) else { return FabricError.optionUnknown }
            guard length == MemoryLayout<Int>.size, case let number = unsafe value.loadUnaligned(as: Int.self), number >= 0 else {
                return FabricError.invalid
            }
            endpoint.state.lock.around {
                endpoint.state.settings.minimumMultiReceive = number
                endpoint.state.transport?.setMinimumMultiReceive(number)
            }
            return 0
        }
        // SAFETY: these look at no argument.
        unsafe operations.tx_ctx = { _, _, _, _, _ in FabricError.notImplemented }
        unsafe operations.rx_ctx = { _, _, _, _, _ in FabricError.notImplemented }
        unsafe operations.rx_size_left = { _ in Int(FabricError.notImplemented) }
        unsafe operations.tx_size_left = { _ in Int(FabricError.notImplemented) }
        return CFunctionTable(operations)
    }()
}

extension OpenEndpoint {
    /// An option's value (fi_endpoint(3), fi_getopt). nil: there is none of this name.
    func option(_ name: Int32) -> Int? {
        switch Int(name) {
        case Int(FI_OPT_MIN_MULTI_RECV): settings.minimumMultiReceive
        case Int(FI_OPT_CM_DATA_SIZE): 0
        default: nil
        }
    }
}
