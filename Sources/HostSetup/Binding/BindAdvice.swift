public import LinuxIO

/// What a bound device still wants before it can be used.
public enum BindAdvice {
    /// - Parameter owner: the user who was given the files; nil: root alone uses the device.
    public static func lines(_ outcomes: [DriverBinding.Outcome], owner: UserAccount?, facts: HostFacts) -> [String] {
        let functions = outcomes.compactMap { facts.function($0.address) }
        var lines = functions.compactMap(siblings)
        guard let owner else { return lines }
        let name = owner.shellName
        if let iommu = facts.vfio.iommu, functions.contains(where: { $0.deviceNode != nil }), iommu.owner != owner.identifier,
            iommu.permissions & 0o006 != 0o006
        {
            lines.append(
                "\(iommu.path) belongs to user \(iommu.owner): for iommufd, `chown \(name) \(iommu.path)`, or a group for several users; without, unic uses the group."
            )
        }
        lines.append(
            "\(owner.name) needs \(CallerFacts.wantedLockedMemory >> 10) KiB of locked memory (`ulimit -l`): `\(name) - memlock unlimited` in /etc/security/limits.d/unic.conf, LimitMEMLOCK=infinity in a service. `unic doctor`, run by \(owner.name), checks it."
        )
        return lines
    }

    /// A group is given away whole or not at all.
    private static func siblings(_ function: PCIFunction) -> String? {
        guard let group = function.group else { return nil }
        let holding = group.others.filter(\.holdsGroup)
        guard !holding.isEmpty else { return nil }
        let names = holding.map { "\($0.address) (\($0.driver ?? "no driver"))" }.joined(separator: ", ")
        return
            "group \(group.number) of \(function.address) cannot be used as long as kernel drivers have other devices of it: \(names). `unic bind \(holding.map(\.address).joined(separator: " "))` gives them to vfio-pci, too."
    }
}
