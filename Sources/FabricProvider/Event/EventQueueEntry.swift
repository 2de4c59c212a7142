import CLibfabric
import Glibc
import LinuxIO
import Synchronization

/// An event queue (fi_eq(3)). All that other providers report through one is done here when its call returns: it stays empty.
@safe struct EventQueue: FabricState, ~Copyable {
    static let objectClass = Int(FI_CLASS_EQ)
    var view: fid_eq
    let fabric: FabricObject<OpenFabric>
}

/// C functions of event queues.
enum EventQueueEntry {
    private typealias Queue = FabricObject<EventQueue>

    static func open(
        _ fabric: UnsafeMutablePointer<fid_fabric>?, _ attributes: UnsafeMutablePointer<fi_eq_attr>?,
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<fid_eq>?>?, _ context: UnsafeMutableRawPointer?
    ) -> Int32 {
        // SAFETY: pointers are checked; attributes are a whole structure or NULL.
        guard let fabric = unsafe FabricObject<OpenFabric>(fid: fabric), let result = unsafe result else { return FabricError.invalid }
        let waitObject = unsafe attributes?.pointee.wait_obj ?? FI_WAIT_NONE
        guard [FI_WAIT_NONE, FI_WAIT_UNSPEC, FI_WAIT_YIELD].contains(waitObject) else { return FabricError.notImplemented }
        // SAFETY: the tables live as long as the process.
        var view = unsafe fid_eq()
        unsafe view.fid.fclass = EventQueue.objectClass
        unsafe view.fid.context = context
        unsafe view.fid.ops = fidOperations.pointer
        unsafe view.ops = operations.pointer
        // SAFETY: checked above.
        let queue = unsafe Queue(EventQueue(view: view, fabric: fabric))
        fabric.state.children.add(1, ordering: .relaxed)
        unsafe result.pointee = queue.view(as: fid_eq.self)
        return 0
    }

    static let fidOperations = unsafe FidOperations.table(
        close: { fid in
            // SAFETY: checked by class.
            guard let queue = unsafe Queue(fid: fid) else { return FabricError.invalid }
            queue.state.fabric.state.children.subtract(1, ordering: .relaxed)
            queue.destroy()
            return 0
        })

    static let operations: CFunctionTable<fi_ops_eq> = {
        // SAFETY: a C structure of function pointers; every one of them is set; none looks at its arguments, but for a buffer
        // of `length` bytes.
        var operations = fi_ops_eq()
        operations.size = MemoryLayout<fi_ops_eq>.size
        unsafe operations.read = { _, _, _, _, _ in Int(FabricError.tryAgain) }
        unsafe operations.readerr = { _, _, _ in Int(FabricError.tryAgain) }
        unsafe operations.write = { _, _, _, _, _ in Int(FabricError.notImplemented) }
        // SAFETY: as above.
        unsafe operations.sread = { _, _, _, _, timeout, _ in
            // Nothing comes: who waits for ever would.
            if timeout > 0 { sleep(milliseconds: UInt32(timeout)) }
            return Int(FabricError.tryAgain)
        }
        unsafe operations.strerror = { _, number, _, buffer, length in unsafe ErrorText.transport(number, into: buffer, length: length) }
        return CFunctionTable(operations)
    }()
}
