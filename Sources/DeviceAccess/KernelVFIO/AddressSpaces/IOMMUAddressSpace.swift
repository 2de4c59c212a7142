import DeviceMemory
import LinuxIO

/// What an IOMMU translates for the functions of one group, by one of the kernel's interfaces. Any thread may call.
protocol IOMMUAddressSpace: AnyObject, Sendable {
    /// Opens a function of the group; its DMA goes through this space from now on.
    func openDevice(_ subject: VFIOSubject) throws(DeviceError) -> OwnedDescriptor
    /// What can be mapped now, after the function is in.
    func limits(_ subject: VFIOSubject) throws(DeviceError) -> DMALimits
    /// Maps this process's memory at `address`.
    func map(_ range: IOVARange, address: UInt64, access: DMAAccess, limits: DMALimits, for subject: VFIOSubject) throws(DeviceError)
    /// When it returns, the IOMMU's caches know.
    func unmap(_ range: IOVARange, for subject: VFIOSubject) throws(DeviceError)
    /// Paths of what is open for a function.
    func nodes(_ subject: VFIOSubject) -> [String]
}
