import CLibfabric
import LinuxIO
import Synchronization

/// C functions of a domain.
enum DomainEntry {
    private typealias Domain = FabricObject<OpenDomain>

    static func open(
        _ fabric: UnsafeMutablePointer<fid_fabric>?, _ info: UnsafeMutablePointer<fi_info>?,
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<fid_domain>?>?, _ context: UnsafeMutableRawPointer?
    ) -> Int32 {
        // SAFETY: pointers are checked; the information is a whole structure (fi_domain(3)).
        guard let fabric = unsafe FabricObject<OpenFabric>(fid: fabric), let info = unsafe info, let result = unsafe result,
            let device = unsafe InfoHints(info.pointee).domain
        else { return FabricError.invalid }
        guard let name = device.name else { return FabricError.noDevice }
        var view = unsafe fid_domain()
        // SAFETY: the tables live as long as the process.
        unsafe view.fid.fclass = OpenDomain.objectClass
        unsafe view.fid.context = context
        unsafe view.fid.ops = fidOperations.pointer
        unsafe view.ops = operations.pointer
        unsafe view.mr = MemoryRegionEntry.operations.pointer
        // fi_domain(3), threading: with FI_THREAD_DOMAIN the application keeps threads apart that use one domain's objects.
        let hasThread = device.dataProgress == FI_PROGRESS_AUTO || environmentVariable("UNIC_PROGRESS") == "thread"
        let lock = device.threading == FI_THREAD_DOMAIN && !hasThread ? nil : DomainLock()
        // SAFETY: as above.
        let domain = unsafe Domain(
            OpenDomain(view: view, fabric: fabric, device: name, apiVersion: fabric.state.view.api_version, lock: lock))
        if hasThread, let lock {
            guard let thread = try? ProgressThread(lock: lock) else {
                lock.destroy()
                domain.destroy()
                return FabricError.noMemory
            }
            domain.state.thread = thread
        }
        fabric.state.children.add(1, ordering: .relaxed)
        // SAFETY: checked above.
        unsafe result.pointee = domain.view(as: fid_domain.self)
        return 0
    }

    static let fidOperations = unsafe FidOperations.table(
        close: { fid in
            // SAFETY: checked by class.
            guard let domain = unsafe Domain(fid: fid) else { return FabricError.invalid }
            guard domain.state.lock.around({ domain.state.children == 0 }) else { return FabricError.busy }
            domain.state.fabric.state.children.subtract(1, ordering: .relaxed)
            domain.state.thread?.end()
            domain.state.lock?.destroy()
            domain.destroy()
            return 0
        },
        // An event queue for what this provider does at once: nothing is ever told through it.
        bind: { domain, queue, _ in
            // SAFETY: checked by class.
            unsafe Domain(fid: domain) == nil || FabricObject<EventQueue>(fid: queue) == nil ? FabricError.invalid : 0
        })

    static let operations: CFunctionTable<fi_ops_domain> = {
        // SAFETY: a C structure of function pointers; every one of them is set. What is behind arguments is checked where they go.
        var operations = fi_ops_domain()
        operations.size = MemoryLayout<fi_ops_domain>.size
        unsafe operations.av_open = { domain, attributes, result, context in
            unsafe AddressVectorEntry.open(domain, attributes, result, context)
        }
        unsafe operations.cq_open = { domain, attributes, result, context in
            // SAFETY: as above.
            unsafe CompletionQueueEntry.open(domain, attributes, result, context)
        }
        unsafe operations.endpoint = { domain, info, result, context in unsafe EndpointEntry.open(domain, info, result, context) }
        unsafe operations.endpoint2 = { domain, info, result, flags, context in
            // SAFETY: as above.
            flags == 0 ? unsafe EndpointEntry.open(domain, info, result, context) : FabricError.badFlags
        }
        // SAFETY: as above.
        unsafe operations.cntr_open = { domain, attributes, result, context in
            unsafe EventCounterEntry.open(domain, attributes, result, context)
        }
        // SAFETY: these look at no argument.
        unsafe operations.scalable_ep = { _, _, _, _ in FabricError.notImplemented }
        unsafe operations.poll_open = { _, _, _ in FabricError.notImplemented }
        unsafe operations.stx_ctx = { _, _, _, _ in FabricError.notImplemented }
        unsafe operations.srx_ctx = { _, _, _, _ in FabricError.notImplemented }
        // SAFETY: as above.
        unsafe operations.query_atomic = { _, type, operation, attributes, flags in
            unsafe AtomicEntry.query(operation, type, attributes, flags: flags)
        }
        unsafe operations.query_collective = { _, _, _, _ in FabricError.notImplemented }
        // SAFETY: complete.
        return CFunctionTable(operations)
    }()
}
