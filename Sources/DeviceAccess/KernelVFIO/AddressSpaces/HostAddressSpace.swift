public import DeviceMemory
public import LinuxIO

/// An address space of this machine's IOMMU whose owner says what is mapped in it and where: an ``IOAS``, or a ``Type1AddressSpace``.
/// Drivers do not need one: what they map goes to their device (``DeviceAccess/map(_:at:access:)``). Any thread may call.
public protocol HostAddressSpace: AnyObject, Sendable {
    /// Maps this process's memory.
    /// - Parameters:
    ///   - range: whole pages, and free.
    ///   - processAddress: the first byte's; the pages are pinned as long as they are mapped.
    ///   - access: at least one of the two.
    func map(_ range: IOVARange, processAddress: UInt64, access: DMAAccess) throws(HostMapRefusal)
    /// Removes all mappings inside of the range, none of which may be only partly inside. When it returns, the IOMMU's caches know.
    /// - Returns: how many bytes were mapped there.
    @discardableResult func unmap(_ range: IOVARange) throws(DeviceError) -> UInt64
    /// Removes everything.
    func unmapAll() throws(DeviceError)
    /// Makes pages that a map is going to pin. It takes all the time that pages take which nobody has used yet, up to hundreds of
    /// times as long as the map itself then: callers who cannot wait do it in small parts.
    func makePages(processAddress: UInt64, byteCount: UInt64, access: DMAAccess)
}

extension HostAddressSpace {
    public func makePages(processAddress: UInt64, byteCount: UInt64, access: DMAAccess) {
        PagePopulation.populate(address: processAddress, byteCount: byteCount, isWritten: access.contains(.write))
    }
}

/// A mapping that the kernel refused: the call for who has to act on it, and the explanation for people.
public struct HostMapRefusal: Error, CustomStringConvertible {
    public let cause: SystemCallError
    public let explanation: DeviceError

    public init(cause: SystemCallError, explanation: DeviceError) {
        self.cause = cause
        self.explanation = explanation
    }

    public var description: String { explanation.description }
}

/// A device that is moved from one address space to another while it is open.
public protocol AttachableDevice: AnyObject {
    associatedtype Space: HostAddressSpace
    /// From now on the device's DMA goes through the space, and through no other.
    func attach(_ space: Space) throws(DeviceError)
    /// From now on none of its DMA gets through.
    func detach() throws(DeviceError)
}
