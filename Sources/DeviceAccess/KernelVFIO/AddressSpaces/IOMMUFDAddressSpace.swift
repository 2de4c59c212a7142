import DeviceMemory
import LinuxIO

/// An ``IOAS`` of a context of its own, for drivers. A second function of the group is bound to the same context, as the
/// kernel demands, and gets the same page table.
final class IOMMUFDAddressSpace: IOMMUAddressSpace {
    private let ioas: IOAS

    init(_ subject: VFIOSubject) throws(DeviceError) { ioas = try IOAS(try IOMMUFDContext(subject), subject) }

    func openDevice(_ subject: VFIOSubject) throws(DeviceError) -> OwnedDescriptor {
        let device = try ioas.context.bind(subject)
        do { try ioas.attach(device, "\(subject.address)") } catch { throw subject.cannotAttach(error) }
        return device
    }

    func limits(_ subject: VFIOSubject) throws(DeviceError) -> DMALimits { try ioas.limits() }

    func map(_ range: IOVARange, address: UInt64, access: DMAAccess, limits: DMALimits, for subject: VFIOSubject) throws(DeviceError) {
        do { try ioas.ask(range, address: address, access: access) } catch {
            throw subject.cannotMap(range, limits: limits, lockedMemoryLimit: LockedMemoryLimit.byteCount, error)
        }
    }

    func unmap(_ range: IOVARange, for subject: VFIOSubject) throws(DeviceError) {
        let unmapped = try ioas.unmap(range)
        guard unmapped == range.byteCount else { throw subject.unmappedOther(range, byteCount: unmapped, call: "IOMMU_IOAS_UNMAP") }
    }

    func nodes(_ subject: VFIOSubject) -> [String] { [(try? subject.deviceNode()) ?? "no device file", subject.paths.iommu] }
}
