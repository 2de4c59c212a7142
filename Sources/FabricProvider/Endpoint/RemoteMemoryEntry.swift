import CLibfabric
import MPIBridge

/// C functions of access to peers' memory (fi_rma(3)).
enum RemoteMemoryEntry {
    private typealias Endpoint = FabricObject<OpenEndpoint>

    static let operations: CFunctionTable<fi_ops_rma> = {
        // SAFETY: a C structure of function pointers; every one of them is set. Each function checks its endpoint by class; the
        // memory is the application's, lent until the completion.
        var operations = fi_ops_rma()
        operations.size = MemoryLayout<fi_ops_rma>.size
        unsafe operations.read = { endpoint, buffer, byteCount, _, peer, offset, key, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(buffer, byteCount)
            else { return Int(FabricError.invalid) }
            return endpoint.access(
                .read, memory, of: peer, offset: offset, key: key, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.access)
        }
        // SAFETY: as above.
        unsafe operations.readv = { endpoint, pieces, _, count, peer, offset, key, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(pieces, count: count)
            else { return Int(FabricError.invalid) }
            return endpoint.access(
                .read, memory, of: peer, offset: offset, key: key, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.access)
        }
        // SAFETY: as above; the message is a whole structure.
        unsafe operations.readmsg = { endpoint, message, flags in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let message = unsafe message?.pointee else {
                return Int(FabricError.invalid)
            }
            return unsafe access(.read, message, flags: flags, on: endpoint)
        }
        // SAFETY: as above.
        unsafe operations.write = { endpoint, buffer, byteCount, _, peer, offset, key, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(buffer, byteCount)
            else { return Int(FabricError.invalid) }
            return endpoint.access(
                .write, memory, of: peer, offset: offset, key: key, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.access)
        }
        // SAFETY: as above.
        unsafe operations.writev = { endpoint, pieces, _, count, peer, offset, key, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(pieces, count: count)
            else { return Int(FabricError.invalid) }
            return endpoint.access(
                .write, memory, of: peer, offset: offset, key: key, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.access)
        }
        // SAFETY: as above; the message is a whole structure.
        unsafe operations.writemsg = { endpoint, message, flags in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let message = unsafe message?.pointee else {
                return Int(FabricError.invalid)
            }
            return unsafe access(.write, message, flags: flags, on: endpoint)
        }
        // SAFETY: as above.
        unsafe operations.inject = { endpoint, buffer, byteCount, peer, offset, key in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(buffer, byteCount)
            else { return Int(FabricError.invalid) }
            return endpoint.access(
                .write, memory, of: peer, offset: offset, key: key, context: 0, options: endpoint.state.defaults.accessInject)
        }
        // SAFETY: as above.
        unsafe operations.writedata = { endpoint, buffer, byteCount, _, data, peer, offset, key, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(buffer, byteCount)
            else { return Int(FabricError.invalid) }
            return endpoint.access(
                .write, memory, of: peer, offset: offset, key: key, data: data, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.access.union(.carriesData))
        }
        // SAFETY: as above.
        unsafe operations.injectdata = { endpoint, buffer, byteCount, data, peer, offset, key in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(buffer, byteCount)
            else { return Int(FabricError.invalid) }
            return endpoint.access(
                .write, memory, of: peer, offset: offset, key: key, data: data, context: 0,
                options: endpoint.state.defaults.accessInject.union(.carriesData))
        }
        return CFunctionTable(operations)
    }()

    /// One piece of a peer's memory, as the limit rma_iov_limit says.
    private static func access(
        _ direction: RemoteMemoryRequest.Direction, _ message: fi_msg_rma, flags: UInt64, on endpoint: Endpoint
    ) -> Int {
        // SAFETY: a structure that was copied; what it points to is as its members say.
        guard unsafe message.rma_iov_count == 1, let remote = unsafe message.rma_iov?.pointee,
            let memory = unsafe ApplicationMemory(message.msg_iov, count: message.iov_count), memory.byteCount == remote.len
        else { return Int(FabricError.invalid) }
        guard let options = endpoint.state.transmitOptions(flags), direction == .write || flags & FI_INJECT == 0 else {
            return Int(FabricError.badFlags)
        }
        // SAFETY: as above.
        return unsafe endpoint.access(
            direction, memory, of: message.addr, offset: remote.addr, key: remote.key, data: message.data,
            context: UInt(bitPattern: message.context), options: options)
    }
}
