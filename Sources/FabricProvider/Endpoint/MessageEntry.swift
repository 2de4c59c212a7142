import CLibfabric
import MPIBridge

/// C functions of messages without a tag (fi_msg(3)).
enum MessageEntry {
    private typealias Endpoint = FabricObject<OpenEndpoint>

    static let operations: CFunctionTable<fi_ops_msg> = {
        // SAFETY: a C structure of function pointers; every one of them is set. Each function checks its endpoint by class; the
        // memory is the application's, lent until the completion.
        var operations = fi_ops_msg()
        operations.size = MemoryLayout<fi_ops_msg>.size
        unsafe operations.recv = { endpoint, buffer, byteCount, _, source, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(buffer, byteCount)
            else { return Int(FabricError.invalid) }
            return endpoint.receive(
                memory, from: source, space: .untagged, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.receive)
        }
        // SAFETY: as above.
        unsafe operations.recvv = { endpoint, pieces, _, count, source, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(pieces, count: count)
            else { return Int(FabricError.invalid) }
            return endpoint.receive(
                memory, from: source, space: .untagged, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.receive)
        }
        // SAFETY: as above; the message is a whole structure.
        unsafe operations.recvmsg = { endpoint, message, flags in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let message = unsafe message?.pointee else {
                return Int(FabricError.invalid)
            }
            return unsafe receive(message, flags: flags, on: endpoint)
        }
        // SAFETY: as above.
        unsafe operations.send = { endpoint, buffer, byteCount, _, destination, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(buffer, byteCount)
            else { return Int(FabricError.invalid) }
            return endpoint.send(
                memory, to: destination, space: .untagged, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.send)
        }
        // SAFETY: as above.
        unsafe operations.sendv = { endpoint, pieces, _, count, destination, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(pieces, count: count)
            else { return Int(FabricError.invalid) }
            return endpoint.send(
                memory, to: destination, space: .untagged, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.send)
        }
        // SAFETY: as above; the message is a whole structure.
        unsafe operations.sendmsg = { endpoint, message, flags in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let message = unsafe message?.pointee,
                let memory = unsafe ApplicationMemory(message.msg_iov, count: message.iov_count)
            else { return Int(FabricError.invalid) }
            guard let options = endpoint.state.transmitOptions(flags) else { return Int(FabricError.badFlags) }
            // SAFETY: as above.
            return unsafe endpoint.send(
                memory, to: message.addr, space: .untagged, data: message.data, context: UInt(bitPattern: message.context),
                options: options)
        }
        // SAFETY: as above.
        unsafe operations.inject = { endpoint, buffer, byteCount, destination in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(buffer, byteCount)
            else { return Int(FabricError.invalid) }
            return endpoint.send(memory, to: destination, space: .untagged, context: 0, options: endpoint.state.defaults.inject)
        }
        // SAFETY: as above.
        unsafe operations.senddata = { endpoint, buffer, byteCount, _, data, destination, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(buffer, byteCount)
            else { return Int(FabricError.invalid) }
            return endpoint.send(
                memory, to: destination, space: .untagged, data: data, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.send.union(.carriesData))
        }
        // SAFETY: as above.
        unsafe operations.injectdata = { endpoint, buffer, byteCount, data, destination in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let memory = unsafe ApplicationMemory(buffer, byteCount)
            else { return Int(FabricError.invalid) }
            return endpoint.send(
                memory, to: destination, space: .untagged, data: data, context: 0,
                options: endpoint.state.defaults.inject.union(.carriesData))
        }
        return CFunctionTable(operations)
    }()

    /// A receive, or with FI_PEEK and FI_CLAIM what comes before one.
    private static func receive(_ message: fi_msg, flags: UInt64, on endpoint: Endpoint) -> Int {
        guard let options = endpoint.state.receiveOptions(flags) else { return Int(FabricError.badFlags) }
        // SAFETY: numbers of a structure that was copied; memory as above.
        let context = unsafe UInt(bitPattern: message.context)
        if flags & FI_PEEK != 0 {
            let mode: MessageEndpoint.PeekMode = flags & FI_DISCARD != 0 ? .discard : flags & FI_CLAIM != 0 ? .claim : .look
            return unsafe endpoint.peek(mode, from: message.addr, space: .untagged, tag: 0, ignore: 0, context: context)
        }
        if flags & FI_CLAIM != 0, flags & FI_DISCARD != 0 { return endpoint.discardClaimed(space: .untagged, context: context) }
        // SAFETY: as above.
        guard let memory = unsafe ApplicationMemory(message.msg_iov, count: message.iov_count) else { return Int(FabricError.invalid) }
        if flags & FI_CLAIM != 0 { return endpoint.receiveClaimed(memory, space: .untagged, context: context, options: options) }
        guard flags & FI_DISCARD == 0 else { return Int(FabricError.badFlags) }
        return unsafe endpoint.receive(
            memory, from: message.addr, space: .untagged, context: context, options: options)
    }
}
