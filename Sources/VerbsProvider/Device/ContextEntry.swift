public import CVerbs
import Glibc

// Contexts (ibv_open_device(3)).

@c(ibv_open_device) public func verbsOpenDevice(_ device: UnsafeMutablePointer<ibv_device>?) -> UnsafeMutablePointer<ibv_context>? {
    // SAFETY: only compared.
    guard unsafe device != nil, unsafe device == VerbsDevice.device, let url = VerbsDevice.url() else {
        return unsafe VerbsError.null(VerbsError.invalid)
    }
    guard let events = EventPipe() else { return unsafe VerbsError.null(VerbsError.noMemory) }
    guard let adapter = OpenAdapter.acquire(url: url) else { return unsafe VerbsError.null(ENODEV) }
    // SAFETY: a structure of numbers and pointers, all of which may be zero: a verb that is NULL is not offered.
    var view = unsafe verbs_context()
    unsafe view.sz = MemoryLayout<verbs_context>.size
    unsafe view.query_port = verbsQueryPortOperation
    unsafe view.query_device_ex = verbsQueryDeviceExtended
    unsafe view.context.device = device
    // SAFETY: as above.
    unsafe view.context.cmd_fd = -1
    unsafe view.context.async_fd = events.readEnd.number
    unsafe view.context.num_comp_vectors = 1
    unsafe view.context.abi_compat = unic_verbs_extended_abi()
    unsafe view.context.ops = ContextOperations.table
    // SAFETY: the structure is the object's first member.
    return unsafe VerbsObject(OpenContext(view: view, adapter: adapter, asyncEvents: events)).context
}

@c(ibv_close_device) public func verbsCloseDevice(_ context: UnsafeMutablePointer<ibv_context>?) -> Int32 {
    // SAFETY: a context of this library.
    guard let object = unsafe VerbsObject<OpenContext>(context: context) else { return VerbsError.invalid }
    let adapter = object.state.adapter
    let isEmpty = adapter.locked {
        if object.state.children > 0 { adapter.state.hasLeftovers = true }
        return object.state.children == 0
    }
    if isEmpty { object.destroy() }
    OpenAdapter.release(adapter)
    return 0
}

@c(ibv_import_device) public func verbsImportDevice(_ descriptor: Int32) -> UnsafeMutablePointer<ibv_context>? {
    // SAFETY: NULL.
    unsafe VerbsError.null(VerbsError.unsupported)
}

/// Events that concern the device itself: there are none. Waits, or returns -1 if the descriptor does not block.
@c(ibv_get_async_event) public func verbsGetAsyncEvent(
    _ context: UnsafeMutablePointer<ibv_context>?, _ event: UnsafeMutablePointer<ibv_async_event>?
) -> Int32 {
    // SAFETY: a context of this library.
    guard let object = unsafe VerbsObject<OpenContext>(context: context) else {
        errno = VerbsError.invalid
        return -1
    }
    _ = object.state.asyncEvents.read()
    return -1
}

@c(ibv_ack_async_event) public func verbsAcknowledgeAsyncEvent(_ event: UnsafeMutablePointer<ibv_async_event>?) {}

/// The verbs that infiniband/verbs.h calls through the context, without a function of the library.
enum ContextOperations {
    static var table: ibv_context_ops {
        // SAFETY: as in ibv_open_device; those that programs call without a look are set.
        var table = ibv_context_ops()
        unsafe table.poll_cq = verbsPollCompletions
        unsafe table.req_notify_cq = verbsRequestNotification
        unsafe table.post_send = verbsPostSend
        unsafe table.post_recv = verbsPostReceive
        // SAFETY: as above. There are neither shared receive queues nor memory windows.
        unsafe table.post_srq_recv = { _, _, _ in VerbsError.unsupported }
        unsafe table.alloc_mw = { _, _ in unsafe VerbsError.null(VerbsError.unsupported) }
        unsafe table.bind_mw = { _, _, _ in VerbsError.unsupported }
        unsafe table.dealloc_mw = { _ in VerbsError.unsupported }
        return table
    }
}
