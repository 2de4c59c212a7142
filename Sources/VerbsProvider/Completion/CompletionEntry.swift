public import CVerbs
import Glibc
import LinuxIO

// Completion queues (ibv_create_cq(3)), their events (ibv_get_cq_event(3)) and channels (ibv_create_comp_channel(3)).

@c(ibv_create_comp_channel) public func verbsCreateChannel(
    _ context: UnsafeMutablePointer<ibv_context>?
) -> UnsafeMutablePointer<ibv_comp_channel>? {
    // SAFETY: a context of this library.
    guard let object = unsafe VerbsObject<OpenContext>(context: context) else { return unsafe VerbsError.null(VerbsError.invalid) }
    let adapter = object.state.adapter
    return unsafe adapter.locked {
        guard let pipe = EventPipe() else { return unsafe VerbsError.null(VerbsError.noMemory) }
        object.state.children += 1
        // SAFETY: the view is the object's first member.
        let view = unsafe ibv_comp_channel(context: context, fd: pipe.readEnd.number, refcnt: 0)
        return unsafe VerbsObject(CompletionChannel(view: view, adapter: adapter, pipe: pipe)).view(as: ibv_comp_channel.self)
    }
}

@c(ibv_destroy_comp_channel) public func verbsDestroyChannel(_ channel: UnsafeMutablePointer<ibv_comp_channel>?) -> Int32 {
    // SAFETY: a channel of this library, and its context.
    guard let object = unsafe VerbsObject<CompletionChannel>(view: channel),
        let context = unsafe VerbsObject<OpenContext>(context: object.state.view.context)
    else { return VerbsError.invalid }
    return object.state.adapter.locked {
        guard unsafe object.state.view.refcnt == 0 else { return VerbsError.busy }
        context.state.children -= 1
        object.destroy()
        return 0
    }
}

@c(ibv_create_cq) public func verbsCreateCompletionQueue(
    _ context: UnsafeMutablePointer<ibv_context>?, _ entries: Int32, _ cookie: UnsafeMutableRawPointer?,
    _ channel: UnsafeMutablePointer<ibv_comp_channel>?, _ vector: Int32
) -> UnsafeMutablePointer<ibv_cq>? {
    // SAFETY: a context of this library, and NULL or a channel of it.
    guard let object = unsafe VerbsObject<OpenContext>(context: context), entries > 0, entries <= CompletionQueue.entryLimit, vector == 0
    else { return unsafe VerbsError.null(VerbsError.invalid) }
    let channelObject = unsafe VerbsObject<CompletionChannel>(view: channel)
    let adapter = object.state.adapter
    return unsafe adapter.locked {
        let number = adapter.state.completionQueues.takeNumber()
        let ring = CompletionEntries(capacity: Int(entries))
        // SAFETY: the view is the object's first member; a mutex and a condition of zeros are initial ones (glibc).
        var view = unsafe ibv_cq()
        unsafe view.context = context
        unsafe view.channel = channel
        unsafe view.cq_context = cookie
        unsafe view.cqe = Int32(ring.capacity)
        // SAFETY: as above.
        unsafe view.handle = UInt32(truncatingIfNeeded: number)
        unsafe channelObject?.state.view.refcnt += 1
        object.state.children += 1
        let queue = unsafe VerbsObject(
            CompletionQueue(view: view, adapter: adapter, number: number, channel: channelObject, entries: ring))
        adapter.state.completionQueues.set(queue, number: number)
        // SAFETY: as above.
        return unsafe queue.view(as: ibv_cq.self)
    }
}

@c(ibv_resize_cq) public func verbsResizeCompletionQueue(_ queue: UnsafeMutablePointer<ibv_cq>?, _ entries: Int32) -> Int32 {
    // SAFETY: a queue of this library.
    guard let object = unsafe VerbsObject<CompletionQueue>(view: queue), entries > 0, entries <= CompletionQueue.entryLimit else {
        return VerbsError.invalid
    }
    return object.state.adapter.locked {
        guard object.state.entries.resize(capacity: Int(entries)) else { return VerbsError.invalid }
        unsafe object.state.view.cqe = Int32(object.state.entries.capacity)
        return 0
    }
}

@c(ibv_destroy_cq) public func verbsDestroyCompletionQueue(_ queue: UnsafeMutablePointer<ibv_cq>?) -> Int32 {
    // SAFETY: a queue of this library, and its context.
    guard let object = unsafe VerbsObject<CompletionQueue>(view: queue),
        let context = unsafe VerbsObject<OpenContext>(context: object.state.view.context)
    else { return VerbsError.invalid }
    let adapter = object.state.adapter
    return adapter.locked {
        guard object.state.users == 0 else { return VerbsError.busy }
        unsafe object.state.channel?.state.view.refcnt -= 1
        adapter.state.completionQueues.remove(object.state.number)
        context.state.children -= 1
        object.destroy()
        return 0
    }
}

/// Waits for the next event; an interrupted wait, or one that would block, returns -1.
@c(ibv_get_cq_event) public func verbsGetCompletionEvent(
    _ channel: UnsafeMutablePointer<ibv_comp_channel>?, _ queue: UnsafeMutablePointer<UnsafeMutablePointer<ibv_cq>?>?,
    _ cookie: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
    // SAFETY: a channel of this library, and places of pointers.
    guard let object = unsafe VerbsObject<CompletionChannel>(view: channel), let queue = unsafe queue else {
        errno = VerbsError.invalid
        return -1
    }
    let adapter = object.state.adapter
    while let number = object.state.pipe.read() {
        let isThere = adapter.locked {
            guard let found = adapter.state.completionQueues[number] else { return false }
            found.state.unacknowledgedEvents += 1
            // SAFETY: as above.
            unsafe queue.pointee = found.view(as: ibv_cq.self)
            unsafe cookie?.pointee = found.state.view.cq_context
            return true
        }
        if isThere { return 0 }
    }
    return -1
}

@c(ibv_ack_cq_events) public func verbsAcknowledgeCompletionEvents(_ queue: UnsafeMutablePointer<ibv_cq>?, _ count: UInt32) {
    // SAFETY: a queue of this library.
    guard let object = unsafe VerbsObject<CompletionQueue>(view: queue) else { return }
    object.state.adapter.locked {
        let waiting = object.state.unacknowledgedEvents
        object.state.unacknowledgedEvents = waiting - min(waiting, UInt64(count))
    }
}

/// poll_cq of infiniband/verbs.h.
func verbsPollCompletions(_ queue: UnsafeMutablePointer<ibv_cq>?, _ count: Int32, _ completions: UnsafeMutablePointer<ibv_wc>?) -> Int32 {
    // SAFETY: a queue of this library, and room for so many completions.
    guard let object = unsafe VerbsObject<CompletionQueue>(view: queue), count >= 0, let completions = unsafe completions else { return -1 }
    return object.state.adapter.locked {
        object.poll(Int(count), now: { MonotonicClock.nanoseconds() }) { index, completion in unsafe completions[index] = completion.code }
    }
}

/// req_notify_cq of infiniband/verbs.h (ibv_req_notify_cq(3)).
func verbsRequestNotification(_ queue: UnsafeMutablePointer<ibv_cq>?, _ solicitedOnly: Int32) -> Int32 {
    // SAFETY: a queue of this library.
    guard let object = unsafe VerbsObject<CompletionQueue>(view: queue), object.state.channel != nil else { return VerbsError.invalid }
    object.state.adapter.locked {
        if object.state.arming != .any { object.state.arming = solicitedOnly == 0 ? .any : .solicited }
        HelperThread.start(for: object.state.adapter)
    }
    return 0
}
