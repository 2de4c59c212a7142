import CLinuxShims
import DeviceMemory
import LinuxIO

/// A container of type 1v2 with one group in it.
final class Type1AddressSpace: IOMMUAddressSpace {
    private let container: VFIOContainer
    private let group: VFIOGroup

    init(group number: String, _ subject: VFIOSubject) throws(DeviceError) {
        let container = try VFIOContainer(.type1v2, subject)
        let group = try VFIOGroup(subject.paths.group(number), subject)
        try group.enter(container, subject)
        try container.setIOMMU(subject)
        self.container = container
        self.group = group
    }

    func openDevice(_ subject: VFIOSubject) throws(DeviceError) -> OwnedDescriptor { try group.openDevice(subject) }
    func limits(_ subject: VFIOSubject) throws(DeviceError) -> DMALimits { try container.limits(subject) }

    func map(_ range: IOVARange, address: UInt64, access: DMAAccess, limits: DMALimits, for subject: VFIOSubject) throws(DeviceError) {
        try container.map(range, address: address, access: access, limits: limits, subject)
    }

    func unmap(_ range: IOVARange, for subject: VFIOSubject) throws(DeviceError) { try container.unmap(range, subject) }

    func nodes(_ subject: VFIOSubject) -> [String] { [group.path, subject.paths.container] }
}
