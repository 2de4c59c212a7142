import CLibfabric
import LinuxIO

/// C functions of counters.
enum EventCounterEntry {
    private typealias Counter = FabricObject<EventCounter>

    static func open(
        _ domain: UnsafeMutablePointer<fid_domain>?, _ attributes: UnsafeMutablePointer<fi_cntr_attr>?,
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<fid_cntr>?>?, _ context: UnsafeMutableRawPointer?
    ) -> Int32 {
        // SAFETY: pointers are checked; attributes are a whole structure or NULL.
        guard let domain = unsafe FabricObject<OpenDomain>(fid: domain), let result = unsafe result else { return FabricError.invalid }
        let waitObject = unsafe attributes?.pointee.wait_obj ?? FI_WAIT_UNSPEC
        guard [FI_WAIT_NONE, FI_WAIT_UNSPEC, FI_WAIT_YIELD].contains(waitObject) else { return FabricError.notImplemented }
        // SAFETY: the tables live as long as the process.
        var view = unsafe fid_cntr()
        unsafe view.fid.fclass = EventCounter.objectClass
        unsafe view.fid.context = context
        unsafe view.fid.ops = fidOperations.pointer
        unsafe view.ops = operations.pointer
        // SAFETY: checked above.
        let counter = unsafe Counter(EventCounter(view: view, domain: domain, lock: domain.state.lock))
        domain.state.lock.around { domain.state.children += 1 }
        unsafe result.pointee = counter.view(as: fid_cntr.self)
        return 0
    }

    static let fidOperations = unsafe FidOperations.table(
        close: { fid in
            // SAFETY: checked by class.
            guard let counter = unsafe Counter(fid: fid) else { return FabricError.invalid }
            let isFree = counter.state.lock.around { () -> Bool in
                guard counter.state.bindings == 0 else { return false }
                counter.state.domain.state.children -= 1
                return true
            }
            guard isFree else { return FabricError.busy }
            counter.destroy()
            return 0
        })

    private static func change(_ counter: UnsafeMutablePointer<fid_cntr>?, _ body: (Counter) -> Void) -> Int32 {
        // SAFETY: checked by class.
        guard let counter = unsafe Counter(fid: counter) else { return FabricError.invalid }
        counter.state.lock.around { body(counter) }
        return 0
    }

    static let operations: CFunctionTable<fi_ops_cntr> = {
        // SAFETY: a C structure of function pointers; every one of them is set; each checks its counter by class.
        var operations = fi_ops_cntr()
        operations.size = MemoryLayout<fi_ops_cntr>.size
        unsafe operations.read = { unsafe Counter(fid: $0)?.read() ?? 0 }
        unsafe operations.readerr = { unsafe Counter(fid: $0)?.readErrors() ?? 0 }
        unsafe operations.add = { counter, value in unsafe change(counter) { $0.state.value &+= value } }
        unsafe operations.set = { counter, value in unsafe change(counter) { $0.state.value = value } }
        // SAFETY: as above.
        unsafe operations.adderr = { counter, value in unsafe change(counter) { $0.state.errors &+= value } }
        unsafe operations.seterr = { counter, value in unsafe change(counter) { $0.state.errors = value } }
        unsafe operations.wait = { counter, threshold, timeout in
            guard let counter = unsafe Counter(fid: counter) else { return FabricError.invalid }
            return counter.wait(for: threshold, timeoutMilliseconds: timeout)
        }
        // SAFETY: complete.
        return CFunctionTable(operations)
    }()
}
