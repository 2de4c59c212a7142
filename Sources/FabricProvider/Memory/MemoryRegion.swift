import CLibfabric
import MPIBridge

/// Registered memory (fi_mr(3)): what peers may read or write, by a key that the application chose, counted from its start.
@safe struct MemoryRegion: FabricState, ~Copyable {
    static let objectClass = Int(FI_CLASS_MR)
    var view: fid_mr
    let domain: FabricObject<OpenDomain>
    let address: UInt
    let byteCount: Int
    let key: UInt64
    /// Empty: it is for this process alone, and no endpoint hears of it.
    let access: RegionAccess
    /// Counts peers' writes.
    var writeCounter: FabricObject<EventCounter>?
}
