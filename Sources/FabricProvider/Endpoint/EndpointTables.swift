import CLibfabric

/// Tables of what an endpoint does not do: each function says so. A NULL would be called by libfabric's inline functions.
enum UnsupportedEndpointTables {
    static let atomic: CFunctionTable<fi_ops_atomic> = {
        // SAFETY: a C structure of function pointers, none of which looks at its arguments; every one of them is set.
        var operations = fi_ops_atomic()
        operations.size = MemoryLayout<fi_ops_atomic>.size
        unsafe operations.write = { _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.writev = { _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.writemsg = { _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.inject = { _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        // SAFETY: as above.
        unsafe operations.readwrite = { _, _, _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.readwritev = { _, _, _, _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.readwritemsg = { _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.compwrite = { _, _, _, _, _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.compwritev = { _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        // SAFETY: as above.
        unsafe operations.compwritemsg = { _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.writevalid = { _, _, _, _ in FabricError.notSupported }
        unsafe operations.readwritevalid = { _, _, _, _ in FabricError.notSupported }
        unsafe operations.compwritevalid = { _, _, _, _ in FabricError.notSupported }
        return CFunctionTable(operations)
    }()

    static let collective: CFunctionTable<fi_ops_collective> = {
        // SAFETY: as above.
        var operations = fi_ops_collective()
        operations.size = MemoryLayout<fi_ops_collective>.size
        unsafe operations.barrier = { _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.broadcast = { _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.alltoall = { _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.allreduce = { _, _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        // SAFETY: as above.
        unsafe operations.allgather = { _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.reduce_scatter = { _, _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.reduce = { _, _, _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.scatter = { _, _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.gather = { _, _, _, _, _, _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        // SAFETY: as above.
        unsafe operations.msg = { _, _, _, _, _, _ in Int(FabricError.notImplemented) }
        unsafe operations.barrier2 = { _, _, _, _ in Int(FabricError.notImplemented) }
        return CFunctionTable(operations)
    }()
}
