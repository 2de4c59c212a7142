import CLibfabric

typealias CloseFunction = @convention(c) (UnsafeMutablePointer<fid>?) -> Int32
typealias BindFunction = @convention(c) (UnsafeMutablePointer<fid>?, UnsafeMutablePointer<fid>?, UInt64) -> Int32
typealias ControlFunction = @convention(c) (UnsafeMutablePointer<fid>?, Int32, UnsafeMutableRawPointer?) -> Int32

/// The operations that every object has (rdma/fabric.h, struct fi_ops). What an object does not do says so: a NULL here would be
/// called by libfabric's inline functions.
enum FidOperations {
    static func table(
        close: CloseFunction, bind: BindFunction = { _, _, _ in FabricError.notImplemented },
        control: ControlFunction = { _, _, _ in FabricError.notImplemented }
    ) -> CFunctionTable<fi_ops> {
        // SAFETY: a C structure of function pointers; every one of them is set below.
        var operations = fi_ops()
        operations.size = MemoryLayout<fi_ops>.size
        unsafe operations.close = close
        unsafe operations.bind = bind
        unsafe operations.control = control
        // SAFETY: as above; these look at no argument.
        unsafe operations.ops_open = { _, _, _, _, _ in FabricError.notImplemented }
        unsafe operations.tostr = { _, _, _ in FabricError.notImplemented }
        unsafe operations.ops_set = { _, _, _, _, _ in FabricError.notImplemented }
        return CFunctionTable(operations)
    }
}
