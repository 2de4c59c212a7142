import DeviceMemory
import LinuxIO
import Synchronization

/// The address spaces that this process has open, by IOMMU group.
///
/// The kernel opens a group once and gives all of its functions one address space. Functions of one group that this process
/// opens therefore share it, and each gets IOVA windows of its own, so that neither port meets the other's mappings.
/// Functions of different groups share nothing. A space closes with its last function.
final class SharedAddressSpaces: Sendable {
    static let ofThisProcess = SharedAddressSpaces()

    struct Key: Hashable, Sendable {
        let backend: IOMMUBackend
        let group: String
        /// Tests have a /dev of their own.
        let dev: String
    }

    private struct Held {
        let space: any IOMMUAddressSpace
        /// Of the first function: how they are divided never changes.
        let windows: [IOVARange]
        let partCount: Int
        /// Who has which part.
        var parts: [Int: PCIAddress] = [:]
    }

    private let held = Mutex<[Key: Held]>([:])

    /// Opens a function in its group's space, which is made if there is none. One function at a time opens or closes.
    /// - Parameter memberCount: functions of the group that could be opened.
    func open(
        _ key: Key, _ subject: VFIOSubject, memberCount: Int, make: () throws(DeviceError) -> any IOMMUAddressSpace
    ) throws(DeviceError) -> OpenFunction {
        try held.withLock { (all) throws(DeviceError) -> OpenFunction in
            let before = all[key]
            if before?.parts.values.contains(subject.address) == true {
                throw subject.isOpenHere()
            }
            let space: any IOMMUAddressSpace
            if let before { space = before.space } else { space = try make() }
            let device = try space.openDevice(subject)
            var limits = try space.limits(subject)
            var entry = before ?? Held(space: space, windows: limits.windows, partCount: max(memberCount, 1))
            guard let part = (0..<entry.partCount).first(where: { entry.parts[$0] == nil }) else {
                throw subject.notUsable(
                    "its group has more functions than when this process opened the first of them",
                    fix: "Close the others, then open all of them.")
            }
            if !limits.seesPhysicalAddresses {
                limits.windows = IOVAWindows.common(
                    IOVAWindows.part(part, of: entry.partCount, in: entry.windows), limits.windows)
            }
            entry.parts[part] = subject.address
            all[key] = entry
            return OpenFunction(key: key, spaces: self, space: space, device: device, limits: limits)
        }
    }

    /// Whether a function is open in this process, by whatever backend.
    func contains(_ subject: VFIOSubject) -> Bool {
        held.withLock { all in all.contains { $0.key.dev == subject.paths.dev && $0.value.parts.values.contains(subject.address) } }
    }

    fileprivate func close(_ key: Key, _ address: PCIAddress) {
        held.withLock { all in
            guard var entry = all[key] else { return }
            entry.parts = entry.parts.filter { $0.value != address }
            all[key] = entry.parts.isEmpty ? nil : entry
        }
    }

    /// Of how many functions a space is open now.
    func userCount(_ key: Key) -> Int { held.withLock { $0[key]?.parts.count ?? 0 } }
}

/// A function's file, and its place in an address space.
struct OpenFunction: ~Copyable {
    let key: SharedAddressSpaces.Key
    let spaces: SharedAddressSpaces
    let space: any IOMMUAddressSpace
    let device: OwnedDescriptor
    let limits: DMALimits
}

/// A function's part in an address space: what it mapped there, taken back at the end.
final class AddressSpaceLease {
    private let key: SharedAddressSpaces.Key
    private let spaces: SharedAddressSpaces
    private var space: (any IOMMUAddressSpace)?
    private let subject: VFIOSubject
    private var mapped: [IOVARange] = []

    init(_ key: SharedAddressSpaces.Key, _ spaces: SharedAddressSpaces, _ space: any IOMMUAddressSpace, _ subject: VFIOSubject) {
        self.key = key
        self.spaces = spaces
        self.space = space
        self.subject = subject
    }

    func map(_ range: IOVARange, address: UInt64, access: DMAAccess, limits: DMALimits) throws(DeviceError) {
        try space?.map(range, address: address, access: access, limits: limits, for: subject)
        mapped.append(range)
    }

    func unmap(_ range: IOVARange) throws(DeviceError) {
        try space?.unmap(range, for: subject)
        mapped.removeAll { range.contains($0) }
    }

    /// The function's file is closed by now, and its DMA off: what it left mapped must not stay in a space that others use.
    deinit {
        for range in mapped { try? space?.unmap(range, for: subject) }
        space = nil
        spaces.close(key, subject.address)
    }
}
