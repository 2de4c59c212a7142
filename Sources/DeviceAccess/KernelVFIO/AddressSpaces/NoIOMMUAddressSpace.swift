import CLinuxShims
import DeviceMemory
import LinuxIO
import Synchronization

/// A group that vfio made up for a function without an IOMMU: nothing translates, IOVAs are physical addresses.
///
/// Nothing is mapped either: `map` only judges, and remembers, so that what is unmapped must have been mapped.
final class NoIOMMUAddressSpace: IOMMUAddressSpace {
    private let container: VFIOContainer
    private let group: VFIOGroup
    private let mapped = Mutex<[IOVARange]>([])

    init(group number: String, _ subject: VFIOSubject) throws(DeviceError) {
        let container = try VFIOContainer(.noIOMMU, subject)
        let group = try VFIOGroup(subject.paths.noIOMMUGroup(number), subject)
        try group.enter(container, subject)
        try container.setIOMMU(subject)
        self.container = container
        self.group = group
    }

    func openDevice(_ subject: VFIOSubject) throws(DeviceError) -> OwnedDescriptor { try group.openDevice(subject) }

    func limits(_ subject: VFIOSubject) throws(DeviceError) -> DMALimits {
        DMALimits(
            windows: [IOVARange(first: 0, last: .max - 4096)].compactMap { $0 }, pageSizes: 4096, maximumMappings: .max,
            seesPhysicalAddresses: true)
    }

    func map(_ range: IOVARange, address: UInt64, access: DMAAccess, limits: DMALimits, for subject: VFIOSubject) throws(DeviceError) {
        try mapped.withLock { (all) throws(DeviceError) in
            guard !all.contains(where: { $0.overlaps(range) }) else {
                throw .mapDMA(device: subject.url, range: range, reason: "it overlaps what is mapped", fix: "Unmap that first.")
            }
            all.append(range)
        }
    }

    func unmap(_ range: IOVARange, for subject: VFIOSubject) throws(DeviceError) {
        try mapped.withLock { (all) throws(DeviceError) in
            guard let index = all.firstIndex(of: range) else {
                throw .unmapDMA(device: subject.url, range: range, reason: "no such range is mapped")
            }
            all.remove(at: index)
        }
    }

    func nodes(_ subject: VFIOSubject) -> [String] { [group.path, subject.paths.container] }
}
