public import CVerbs
import Glibc
import LinuxIO

// Protection domains (ibv_alloc_pd(3)) and memory regions (ibv_reg_mr(3)).

/// A protection domain: a number that keys and queue pairs carry.
@safe struct ProtectionDomain: ~Copyable {
    var view: ibv_pd
    let context: VerbsObject<OpenContext>
    let number: UInt32
    var children = 0
}

@safe struct MemoryRegion: ~Copyable {
    var view: ibv_mr
    let domain: VerbsObject<ProtectionDomain>
}

@c(ibv_alloc_pd) public func verbsAllocateDomain(_ context: UnsafeMutablePointer<ibv_context>?) -> UnsafeMutablePointer<ibv_pd>? {
    // SAFETY: a context of this library.
    guard let object = unsafe VerbsObject<OpenContext>(context: context) else { return unsafe VerbsError.null(VerbsError.invalid) }
    let adapter = object.state.adapter
    return unsafe adapter.locked {
        let number = adapter.state.nextDomain
        adapter.state.nextDomain += 1
        object.state.children += 1
        // SAFETY: the view is the object's first member.
        let view = unsafe ibv_pd(context: context, handle: number)
        return unsafe VerbsObject(ProtectionDomain(view: view, context: object, number: number)).view(as: ibv_pd.self)
    }
}

@c(ibv_dealloc_pd) public func verbsDeallocateDomain(_ domain: UnsafeMutablePointer<ibv_pd>?) -> Int32 {
    // SAFETY: a domain of this library.
    guard let object = unsafe VerbsObject<ProtectionDomain>(view: domain) else { return VerbsError.invalid }
    let context = object.state.context
    return context.state.adapter.locked {
        guard object.state.children == 0 else { return VerbsError.busy }
        context.state.children -= 1
        object.destroy()
        return 0
    }
}

private func register(
    _ domain: UnsafeMutablePointer<ibv_pd>?, _ address: UnsafeMutableRawPointer?, _ byteCount: Int, base: UInt64, access: UInt32
) -> UnsafeMutablePointer<ibv_mr>? {
    // SAFETY: a domain of this library; of the address only the number is taken.
    guard let object = unsafe VerbsObject<ProtectionDomain>(view: domain), byteCount >= 0, unsafe address != nil || byteCount == 0 else {
        return unsafe VerbsError.null(VerbsError.invalid)
    }
    let known = MemoryAccess(rawValue: access)
    guard known.isConsistent, access & IBV_ACCESS_ON_DEMAND.rawValue == 0 else { return unsafe VerbsError.null(VerbsError.invalid) }
    let base = access & IBV_ACCESS_ZERO_BASED.rawValue != 0 ? 0 : base
    let number = UInt(bitPattern: address)
    let adapter = object.state.context.state.adapter
    // SAFETY: what is returned is an object of this library, or NULL.
    return unsafe adapter.locked {
        guard
            let key = adapter.state.memory.add(
                domain: object.state.number, address: number, byteCount: byteCount, base: base, access: known)
        else { return unsafe VerbsError.null(VerbsError.noMemory) }
        guard open(key, of: adapter) else {
            close(key, of: adapter)
            return unsafe VerbsError.null(VerbsError.noMemory)
        }
        object.state.children += 1
        // SAFETY: the view is the object's first member.
        var view = unsafe ibv_mr()
        unsafe view.context = object.state.context.context
        unsafe view.pd = domain
        unsafe view.addr = address
        unsafe view.length = byteCount
        // SAFETY: as above.
        unsafe view.handle = key
        unsafe view.lkey = key
        unsafe view.rkey = key
        return unsafe VerbsObject(MemoryRegion(view: view, domain: object)).view(as: ibv_mr.self)
    }
}

/// Peers of queue pairs of the domain reach it. False: there are too many.
private func open(_ key: UInt32, of adapter: VerbsObject<Adapter>) -> Bool {
    guard let region = adapter.state.memory[key] else { return false }
    var isOpen = true
    adapter.state.queuePairs.forEach { queuePair in
        if queuePair.state.domain == region.domain, !queuePair.open(region) { isOpen = false }
    }
    return isOpen
}

/// Nobody reaches it any more when this returns.
private func close(_ key: UInt32, of adapter: VerbsObject<Adapter>) {
    adapter.state.queuePairs.forEach { if $0.state.opensMemory { $0.close(key) } }
    adapter.state.memory.remove(key)
}

@c(ibv_reg_mr) public func verbsRegisterMemory(
    _ domain: UnsafeMutablePointer<ibv_pd>?, _ address: UnsafeMutableRawPointer?, _ byteCount: Int, _ access: Int32
) -> UnsafeMutablePointer<ibv_mr>? {
    // SAFETY: checked there.
    unsafe register(domain, address, byteCount, base: UInt64(UInt(bitPattern: address)), access: UInt32(bitPattern: access))
}

@c(ibv_reg_mr_iova) public func verbsRegisterMemoryAt(
    _ domain: UnsafeMutablePointer<ibv_pd>?, _ address: UnsafeMutableRawPointer?, _ byteCount: Int, _ base: UInt64, _ access: Int32
) -> UnsafeMutablePointer<ibv_mr>? {
    // SAFETY: checked there.
    unsafe register(domain, address, byteCount, base: base, access: UInt32(bitPattern: access))
}

@c(ibv_reg_mr_iova2) public func verbsRegisterMemoryWith(
    _ domain: UnsafeMutablePointer<ibv_pd>?, _ address: UnsafeMutableRawPointer?, _ byteCount: Int, _ base: UInt64, _ access: UInt32
) -> UnsafeMutablePointer<ibv_mr>? {
    // SAFETY: checked there.
    unsafe register(domain, address, byteCount, base: base, access: access)
}

@c(ibv_reg_dmabuf_mr) public func verbsRegisterSharedBuffer(
    _ domain: UnsafeMutablePointer<ibv_pd>?, _ offset: UInt64, _ byteCount: Int, _ base: UInt64, _ descriptor: Int32, _ access: Int32
) -> UnsafeMutablePointer<ibv_mr>? { unsafe VerbsError.null(VerbsError.unsupported) }

@c(ibv_rereg_mr) public func verbsRegisterMemoryAgain(
    _ region: UnsafeMutablePointer<ibv_mr>?, _ flags: Int32, _ domain: UnsafeMutablePointer<ibv_pd>?, _ address: UnsafeMutableRawPointer?,
    _ byteCount: Int, _ access: Int32
) -> Int32 {
    errno = VerbsError.unsupported
    // The old region stays as it is.
    return Int32(IBV_REREG_MR_ERR_INPUT.rawValue)
}

@c(ibv_dereg_mr) public func verbsDeregisterMemory(_ region: UnsafeMutablePointer<ibv_mr>?) -> Int32 {
    // SAFETY: a region of this library.
    guard let object = unsafe VerbsObject<MemoryRegion>(view: region) else { return VerbsError.invalid }
    let domain = object.state.domain
    let adapter = domain.state.context.state.adapter
    adapter.locked {
        adapter.letTransfersEnd()
        close(unsafe object.state.view.lkey, of: adapter)
        domain.state.children -= 1
        object.destroy()
    }
    return 0
}
