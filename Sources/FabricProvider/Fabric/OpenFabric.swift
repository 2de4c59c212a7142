import CLibfabric
import Synchronization

/// An open fabric (fi_fabric(3)): all that unic's devices reach. It only knows which version of the interface is spoken.
@safe struct OpenFabric: FabricState, ~Copyable {
    static let objectClass = Int(FI_CLASS_FABRIC)
    var view: fid_fabric
    /// Domains and event queues that are open; any thread opens and closes them.
    let children = Atomic<Int>(0)
}
