public import DeviceMemory
public import SystemPackage

/// Where a change of a client's memory stands.
public enum MemoryCarriage: Equatable, Sendable {
    case done
    /// There is more to do than fits between two looks at other messages: ask again.
    case working
    case refused(Errno, reason: String)
}

/// Carries a client's DMA ranges on, each as it comes and goes: to an IOMMU. One change is under way at a time, and the client
/// hears of it when it is done.
public protocol MemoryCarrier: AnyObject {
    /// A range is in the client's memory, and whole. It goes again if the carrier refuses it.
    func begin(mapping range: IOVARange, access: DMAAccess) -> MemoryCarriage
    /// All that lies inside of a range is about to go; no mapping is cut by it. When it is done no DMA reaches that memory.
    func begin(unmapping range: ClosedRange<IOVA>) -> MemoryCarriage
    /// Goes on with the change that is `working`.
    func advance() -> MemoryCarriage
    /// The client is gone, with a change under way perhaps: when this returns no DMA reaches its memory.
    func clientLeft()
}
