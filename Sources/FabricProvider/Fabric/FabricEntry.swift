import CLibfabric
import Synchronization

/// C functions of a fabric.
enum FabricEntry {
    typealias Open =
        @convention(c) (
            UnsafeMutablePointer<fi_fabric_attr>?, UnsafeMutablePointer<UnsafeMutablePointer<fid_fabric>?>?, UnsafeMutableRawPointer?
        ) -> Int32

    static let open: Open = { attributes, result, context in
        // SAFETY: both pointers are checked; the attributes are a whole structure (fi_fabric(3)).
        guard let attributes = unsafe attributes, let result = unsafe result else { return FabricError.invalid }
        if let name = unsafe attributes.pointee.name, unsafe String(cString: name) != InfoEntry.fabricName {
            return FabricError.noData
        }
        var view = unsafe fid_fabric()
        unsafe view.fid.fclass = OpenFabric.objectClass
        unsafe view.fid.context = context
        // SAFETY: the tables live as long as the process.
        unsafe view.fid.ops = fidOperations.pointer
        unsafe view.ops = operations.pointer
        unsafe view.api_version = attributes.pointee.api_version
        unsafe result.pointee = FabricObject(OpenFabric(view: view)).view(as: fid_fabric.self)
        return 0
    }

    static let fidOperations = unsafe FidOperations.table(
        close: { fid in
            // SAFETY: checked by class.
            guard let fabric = unsafe FabricObject<OpenFabric>(fid: fid) else { return FabricError.invalid }
            guard fabric.state.children.load(ordering: .relaxed) == 0 else { return FabricError.busy }
            fabric.destroy()
            return 0
        })

    static let operations: CFunctionTable<fi_ops_fabric> = {
        // SAFETY: a C structure of function pointers; every one of them is set.
        var operations = fi_ops_fabric()
        operations.size = MemoryLayout<fi_ops_fabric>.size
        unsafe operations.domain = { fabric, info, result, context in
            // SAFETY: what is behind the pointers is checked there.
            unsafe DomainEntry.open(fabric, info, result, context)
        }
        unsafe operations.domain2 = { fabric, info, result, flags, context in
            // SAFETY: as above.
            flags == 0 ? unsafe DomainEntry.open(fabric, info, result, context) : FabricError.badFlags
        }
        // SAFETY: these look at no argument.
        unsafe operations.passive_ep = { _, _, _, _ in FabricError.notImplemented }
        unsafe operations.wait_open = { _, _, _ in FabricError.notImplemented }
        // SAFETY: what is behind the pointers is checked there.
        unsafe operations.eq_open = { fabric, attributes, result, context in
            unsafe EventQueueEntry.open(fabric, attributes, result, context)
        }
        unsafe operations.trywait = { _, fids, count in unsafe WaitEntry.tryWait(fids, count: count) }
        return CFunctionTable(operations)
    }()
}
