import CLibfabric
import MPIBridge

/// C functions of an endpoint's name (fi_cm(3)). There are no connections.
enum EndpointNameEntry {
    static let operations: CFunctionTable<fi_ops_cm> = {
        // SAFETY: a C structure of function pointers; every one of them is set; the endpoint is checked by class.
        var operations = fi_ops_cm()
        operations.size = MemoryLayout<fi_ops_cm>.size
        unsafe operations.getname = { endpoint, buffer, length in
            guard let endpoint = unsafe FabricObject<OpenEndpoint>(fid: endpoint), let length = unsafe length else {
                return FabricError.invalid
            }
            guard let address = endpoint.state.address else { return FabricError.badState }
            // SAFETY: the length says how much room there is, and then how much there is to say; without a buffer there is none.
            let room = unsafe length.pointee
            unsafe length.pointee = EndpointAddress.byteCount
            unsafe AddressBytes.copy(address.bytes, to: buffer, room: room)
            return unsafe buffer == nil || room < EndpointAddress.byteCount ? FabricError.bufferTooSmall : 0
        }
        // SAFETY: these look at no argument.
        unsafe operations.setname = { _, _, _ in FabricError.notImplemented }
        unsafe operations.getpeer = { _, _, _ in FabricError.notImplemented }
        unsafe operations.connect = { _, _, _, _ in FabricError.notImplemented }
        unsafe operations.listen = { _ in FabricError.notImplemented }
        unsafe operations.accept = { _, _, _ in FabricError.notImplemented }
        unsafe operations.reject = { _, _, _, _ in FabricError.notImplemented }
        // SAFETY: as above.
        unsafe operations.shutdown = { _, _ in FabricError.notImplemented }
        unsafe operations.join = { _, _, _, _, _ in FabricError.notImplemented }
        return CFunctionTable(operations)
    }()
}
