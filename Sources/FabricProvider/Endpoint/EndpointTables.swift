import CLibfabric

/// Tables of what an endpoint does not do: each function says so. A NULL would be called by libfabric's inline functions.
enum UnsupportedEndpointTables {
    static let collective: CFunctionTable<fi_ops_collective> = {
        // SAFETY: a C structure of function pointers, none of which looks at its arguments; every one of them is set.
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
