import CLibfabric
import MPIBridge

/// C functions of atomic access to peers' memory (fi_atomic(3)).
enum AtomicEntry {
    private typealias Endpoint = FabricObject<OpenEndpoint>

    static let operations: CFunctionTable<fi_ops_atomic> = {
        // SAFETY: a C structure of function pointers; every one of them is set. Each function checks its endpoint by class; the
        // memory is the application's, lent until the completion.
        var operations = fi_ops_atomic()
        operations.size = MemoryLayout<fi_ops_atomic>.size
        unsafe operations.write = { endpoint, buffer, count, _, peer, offset, key, type, operation, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint) else { return Int(FabricError.invalid) }
            guard let call = AtomicCall(.update, operation, type) else { return Int(FabricError.notSupported) }
            // SAFETY: as above.
            return unsafe endpoint.access(
                call, operands: call.memory(buffer, count: count), of: peer, offset: offset, key: key, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.access)
        }
        // SAFETY: as above.
        unsafe operations.writev = { endpoint, pieces, _, count, peer, offset, key, type, operation, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint) else { return Int(FabricError.invalid) }
            guard let call = AtomicCall(.update, operation, type) else { return Int(FabricError.notSupported) }
            // SAFETY: as above.
            return unsafe endpoint.access(
                call, operands: call.memory(pieces: pieces, count: count), of: peer, offset: offset, key: key,
                context: UInt(bitPattern: context),
                options: endpoint.state.defaults.access)
        }
        // SAFETY: as above; the message is a whole structure.
        unsafe operations.writemsg = { endpoint, message, flags in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let message = unsafe message?.pointee else {
                return Int(FabricError.invalid)
            }
            // SAFETY: as above.
            return unsafe access(.update, message, flags: flags, on: endpoint)
        }
        // SAFETY: as above.
        unsafe operations.inject = { endpoint, buffer, count, peer, offset, key, type, operation in
            guard let endpoint = unsafe Endpoint(fid: endpoint) else { return Int(FabricError.invalid) }
            guard let call = AtomicCall(.update, operation, type) else { return Int(FabricError.notSupported) }
            // SAFETY: as above.
            return unsafe endpoint.access(
                call, operands: call.memory(buffer, count: count), of: peer, offset: offset, key: key,
                options: endpoint.state.defaults.accessInject)
        }
        // SAFETY: as above.
        unsafe operations.readwrite = { endpoint, buffer, count, _, result, _, peer, offset, key, type, operation, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint) else { return Int(FabricError.invalid) }
            guard let call = AtomicCall(.fetch, operation, type) else { return Int(FabricError.notSupported) }
            // SAFETY: as above.
            return unsafe endpoint.access(
                call, operands: call.memory(buffer, count: count), result: call.memory(result, count: count), of: peer, offset: offset,
                key: key, context: UInt(bitPattern: context), options: endpoint.state.defaults.access)
        }
        // SAFETY: as above.
        unsafe operations.readwritev = {
            endpoint, pieces, _, count, results, _, resultCount, peer, offset, key, type, operation, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint) else { return Int(FabricError.invalid) }
            guard let call = AtomicCall(.fetch, operation, type) else { return Int(FabricError.notSupported) }
            // SAFETY: as above.
            return unsafe endpoint.access(
                call, operands: call.memory(pieces: pieces, count: count), result: call.memory(pieces: results, count: resultCount),
                of: peer,
                offset: offset, key: key, context: UInt(bitPattern: context), options: endpoint.state.defaults.access)
        }
        // SAFETY: as above.
        unsafe operations.readwritemsg = { endpoint, message, results, _, resultCount, flags in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let message = unsafe message?.pointee else {
                return Int(FabricError.invalid)
            }
            // SAFETY: as above.
            return unsafe access(.fetch, message, results: results, resultCount, flags: flags, on: endpoint)
        }
        // SAFETY: as above.
        unsafe operations.compwrite = {
            endpoint, buffer, count, _, comparands, _, result, _, peer, offset, key, type, operation, context in
            guard let endpoint = unsafe Endpoint(fid: endpoint) else { return Int(FabricError.invalid) }
            guard let call = AtomicCall(.compare, operation, type) else { return Int(FabricError.notSupported) }
            // SAFETY: as above.
            return unsafe endpoint.access(
                call, operands: call.memory(buffer, count: count), comparands: call.memory(comparands, count: count),
                result: call.memory(result, count: count), of: peer, offset: offset, key: key, context: UInt(bitPattern: context),
                options: endpoint.state.defaults.access)
        }
        // SAFETY: as above.
        unsafe operations.compwritev = {
            endpoint, pieces, _, count, comparands, _, comparandCount, results, _, resultCount, peer, offset, key, type, operation, context
            in
            guard let endpoint = unsafe Endpoint(fid: endpoint) else { return Int(FabricError.invalid) }
            guard let call = AtomicCall(.compare, operation, type) else { return Int(FabricError.notSupported) }
            // SAFETY: as above.
            return unsafe endpoint.access(
                call, operands: call.memory(pieces: pieces, count: count),
                comparands: call.memory(pieces: comparands, count: comparandCount),
                result: call.memory(pieces: results, count: resultCount), of: peer, offset: offset, key: key,
                context: UInt(bitPattern: context),
                options: endpoint.state.defaults.access)
        }
        // SAFETY: as above.
        unsafe operations.compwritemsg = { endpoint, message, comparands, _, comparandCount, results, _, resultCount, flags in
            guard let endpoint = unsafe Endpoint(fid: endpoint), let message = unsafe message?.pointee else {
                return Int(FabricError.invalid)
            }
            // SAFETY: as above.
            return unsafe access(
                .compare, message, comparands: comparands, comparandCount, results: results, resultCount, flags: flags, on: endpoint)
        }
        // SAFETY: a number is written where there is room for one.
        unsafe operations.writevalid = { _, type, operation, count in unsafe validate(.update, operation, type, count) }
        unsafe operations.readwritevalid = { _, type, operation, count in unsafe validate(.fetch, operation, type, count) }
        unsafe operations.compwritevalid = { _, type, operation, count in unsafe validate(.compare, operation, type, count) }
        return CFunctionTable(operations)
    }()

    /// One piece of a peer's memory, as the limit rma_iov_limit says.
    @unsafe private static func access(
        _ form: AtomicCall.Form, _ message: fi_msg_atomic, comparands: UnsafePointer<fi_ioc>? = nil, _ comparandCount: Int = 0,
        results: UnsafePointer<fi_ioc>? = nil, _ resultCount: Int = 0, flags: UInt64, on endpoint: Endpoint
    ) -> Int {
        // SAFETY: a structure that was copied; what it points to is as its members say.
        guard let call = unsafe AtomicCall(form, message.op, message.datatype) else { return Int(FabricError.notSupported) }
        guard unsafe message.rma_iov_count == 1, let remote = unsafe message.rma_iov?.pointee else { return Int(FabricError.invalid) }
        guard flags & FI_REMOTE_CQ_DATA == 0, form == .update || flags & FI_INJECT == 0,
            let options = endpoint.state.transmitOptions(flags)
        else { return Int(FabricError.badFlags) }
        // SAFETY: as above.
        let operands = unsafe call.memory(pieces: message.msg_iov, count: message.iov_count),
            result = unsafe call.memory(pieces: results, count: resultCount)
        let elements = max(operands?.byteCount ?? 0, result?.byteCount ?? 0) / call.access.type.byteCount
        guard remote.count == elements else { return Int(FabricError.invalid) }
        // SAFETY: as above.
        return unsafe endpoint.access(
            call, operands: operands, comparands: call.memory(pieces: comparands, count: comparandCount), result: result, of: message.addr,
            offset: remote.addr, key: remote.key, context: UInt(bitPattern: message.context), options: options)
    }

    private static func validate(
        _ form: AtomicCall.Form, _ operation: fi_op, _ type: fi_datatype, _ count: UnsafeMutablePointer<Int>?
    ) -> Int32 {
        // SAFETY: checked.
        guard let count = unsafe count, let call = AtomicCall(form, operation, type) else { return FabricError.notSupported }
        // SAFETY: as above.
        unsafe count.pointee = call.elementLimit(byteCount: EndpointProfile.atomicByteCount)
        return 0
    }

    /// fi_query_atomic.
    static func query(_ operation: fi_op, _ type: fi_datatype, _ attributes: UnsafeMutablePointer<fi_atomic_attr>?, flags: UInt64) -> Int32
    {
        guard flags & ~(FI_FETCH_ATOMIC | FI_COMPARE_ATOMIC) == 0, flags != FI_FETCH_ATOMIC | FI_COMPARE_ATOMIC else {
            return FabricError.badFlags
        }
        let form: AtomicCall.Form = flags & FI_FETCH_ATOMIC != 0 ? .fetch : flags & FI_COMPARE_ATOMIC != 0 ? .compare : .update
        // SAFETY: checked; a whole structure.
        guard let attributes = unsafe attributes, let call = AtomicCall(form, operation, type) else { return FabricError.notSupported }
        unsafe attributes.pointee.count = call.elementLimit(byteCount: EndpointProfile.atomicByteCount)
        unsafe attributes.pointee.size = call.access.type.byteCount
        return 0
    }
}
