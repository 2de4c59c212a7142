import CLinuxShims
public import DeviceMemory
public import LinuxIO

/// A container of type 1v2 with one group in it: the group's functions cannot have another one as long as one of them is open.
public final class Type1AddressSpace: IOMMUAddressSpace, HostAddressSpace {
    private let container: VFIOContainer
    private let group: VFIOGroup
    /// The first function's, whom errors without a function speak of.
    private let subject: VFIOSubject

    /// Opens the group of a function for itself. Errors say how to get there.
    public convenience init(url: String, address: PCIAddress) throws(DeviceError) {
        try self.init(VFIOSubject(url: url, address: address, group: nil, paths: KernelPaths()))
    }

    convenience init(_ nameless: VFIOSubject) throws(DeviceError) {
        var subject = nameless
        let group = try Type1AddressSpace.groupNumber(nameless)
        subject.group = group
        try self.init(group: group, subject)
    }

    /// The group that a function is in: functions of one group have one address space, and no other can be made for them meanwhile.
    public static func groupNumber(url: String, address: PCIAddress) throws(DeviceError) -> String {
        try groupNumber(VFIOSubject(url: url, address: address, group: nil, paths: KernelPaths()))
    }

    private static func groupNumber(_ nameless: VFIOSubject) throws(DeviceError) -> String {
        guard nameless.sysfs.exists else { throw nameless.noFunction() }
        return try nameless.checkSetup()
    }

    init(group number: String, _ subject: VFIOSubject) throws(DeviceError) {
        let container = try VFIOContainer(.type1v2, subject)
        let group = try VFIOGroup(subject.paths.group(number), subject)
        try group.enter(container, subject)
        try container.setIOMMU(subject)
        self.container = container
        self.group = group
        self.subject = subject
    }

    func openDevice(_ subject: VFIOSubject) throws(DeviceError) -> OwnedDescriptor { try group.openDevice(subject) }
    func limits(_ subject: VFIOSubject) throws(DeviceError) -> DMALimits { try container.limits(subject) }

    func map(_ range: IOVARange, address: UInt64, access: DMAAccess, limits: DMALimits, for subject: VFIOSubject) throws(DeviceError) {
        do { try container.map(range, address: address, access: access) } catch {
            throw subject.cannotMap(range, limits: limits, lockedMemoryLimit: LockedMemoryLimit.byteCount, error)
        }
    }

    func unmap(_ range: IOVARange, for subject: VFIOSubject) throws(DeviceError) {
        let unmapped: UInt64
        do { unmapped = try container.unmap(.range(range)) } catch { throw subject.cannotUnmap(range, error) }
        guard unmapped == range.byteCount else { throw subject.unmappedOther(range, byteCount: unmapped, call: "VFIO_IOMMU_UNMAP_DMA") }
    }

    func nodes(_ subject: VFIOSubject) -> [String] { [group.path, subject.paths.container] }

    /// A descriptor of the container for another process, which can unmap then (``OpenedContainer``).
    public func duplicateFile() throws(DeviceError) -> OwnedDescriptor {
        do { return try container.file.duplicate() } catch {
            throw subject.failed(error, fix: "Raise the limit of open files (ulimit -n).")
        }
    }

    // MARK: For who maps by hand

    /// What can be mapped now.
    public func limits() throws(DeviceError) -> DMALimits { try container.limits(subject) }

    public func map(_ range: IOVARange, processAddress: UInt64, access: DMAAccess) throws(HostMapRefusal) {
        do { try container.map(range, address: processAddress, access: access) } catch {
            // Asked again only to explain: a refusal is rare.
            let known = try? limits()
            let limits = known ?? DMALimits(windows: [range], pageSizes: 4096, maximumMappings: .max)
            throw HostMapRefusal(
                cause: error,
                explanation: subject.cannotMap(range, limits: limits, lockedMemoryLimit: LockedMemoryLimit.byteCount, error))
        }
    }

    @discardableResult public func unmap(_ range: IOVARange) throws(DeviceError) -> UInt64 {
        do { return try container.unmap(.range(range)) } catch { throw subject.cannotUnmap(range, error) }
    }

    public func unmapAll() throws(DeviceError) {
        do { _ = try container.unmap(.everything) } catch { throw subject.failed(error, fix: "See `dmesg`.") }
    }
}
