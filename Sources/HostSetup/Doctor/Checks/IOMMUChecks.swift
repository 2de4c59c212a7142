/// What keeps a device to its memory and to its interrupts.
enum IOMMUChecks {
    static func findings(_ facts: HostFacts) -> [Finding] {
        [presence(facts)] + interrupts(facts) + noIOMMUMode(facts)
    }

    private static func presence(_ facts: HostFacts) -> Finding {
        let iommu = facts.iommu
        guard iommu.units.isEmpty else {
            let units = iommu.units.map { "\($0.kind.rawValue) (\($0.name))" }
            return .ok(.iommu, "The kernel uses \(units.joined(separator: ", ")).")
        }
        if facts.vfio.noIOMMUModeIsOn == true {
            return .note(.iommu, "No IOMMU is used: a device that is given away reaches all of memory.", advice: turnOn)
        }
        return iommu.tables.isEmpty ? absent(facts) : asleep(iommu)
    }

    private static let turnOn =
        "Turn it on in the firmware (VT-d, AMD-Vi, SMMU); give a virtual machine one (QEMU: -device intel-iommu,intremap=on)."

    /// The firmware tells of none.
    private static func absent(_ facts: HostFacts) -> Finding {
        let text = "There is no IOMMU: neither the kernel nor the firmware's tables name one."
        guard facts.vfio.noIOMMUModeIsOn == false else { return .problem(.iommu, text, advice: turnOn) }
        return .problem(
            .iommu, text, fix: "echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
            advice: "\(turnOn) The command is for where that cannot be: it lets a device reach all of memory, and taints the kernel.")
    }

    /// The firmware tells of one and the kernel does not use it.
    private static func asleep(_ iommu: IOMMUFacts) -> Finding {
        let text = "An IOMMU is there (ACPI \(iommu.tables.joined(separator: ", "))) and the kernel does not use it."
        if iommu.tables == ["VIOT"] {
            guard iommu.virtioDriverIsLoadable else {
                return .problem(.iommu, text, advice: "It wants a kernel with CONFIG_VIRTIO_IOMMU.")
            }
            return .problem(.iommu, text, fix: "modprobe virtio_iommu")
        }
        let word = iommu.tables.contains("DMAR") ? "intel_iommu=on" : iommu.tables.contains("IVRS") ? "amd_iommu=on" : "iommu.passthrough=0"
        let off = iommu.commandLine.filter { ["intel_iommu=off", "amd_iommu=off", "iommu=off"].contains($0) }
        let words = off.isEmpty ? "\(word) is missing" : "\(off.joined(separator: " ")) turns it off"
        let advice = "On the kernel's command line \(words). It is read at boot only."
        guard iommu.hasGRUB else { return .problem(.iommu, text, advice: "\(advice) Put \(word) there with your boot loader, and boot.") }
        return .problem(
            .iommu, text,
            fix: "sed -i -E 's/\\b(intel_iommu|amd_iommu|iommu)=off ?//g; s/^GRUB_CMDLINE_LINUX=\"/&\(word) /' /etc/default/grub"
                + " && update-grub && reboot",
            advice: advice)
    }

    private static func interrupts(_ facts: HostFacts) -> [Finding] {
        guard !facts.iommu.units.isEmpty else { return [] }
        switch facts.iommu.interruptsAreRemapped {
        case .none:
            return [.note(.interruptRemapping, "Whether interrupts are remapped cannot be seen here.", advice: "See `dmesg`.")]
        case .some(true): return [.ok(.interruptRemapping, "Interrupts are remapped: a device can raise its own only.")]
        case .some(false): return [notRemapped(facts.vfio)]
        }
    }

    /// vfio_iommu_type1 and iommufd each refuse a device whose interrupts are not isolated, unless they are told to trust it.
    private static func notRemapped(_ vfio: VFIOFacts) -> Finding {
        let type1 = allowance("vfio_iommu_type1", vfio.type1, vfio.type1AllowsUnsafeInterrupts)
        let iommufd = allowance("iommufd", vfio.iommufd, vfio.iommufdAllowsUnsafeInterrupts)
        let text = "Interrupts are not remapped: a device could raise any interrupt of the machine, and "
        let trust = "Better is an IOMMU that remaps them. The command is for a device, and a program that drives it, that you trust."
        let fixes = [type1.fix, iommufd.fix].compactMap { $0 }
        let fix = fixes.isEmpty ? nil : fixes.joined(separator: " && ")
        guard type1.isAllowed || iommufd.isAllowed else {
            return .problem(
                .interruptRemapping, text + "VFIO refuses that.", fix: fix,
                advice: fix == nil ? "It wants a kernel with CONFIG_VFIO_IOMMU_TYPE1 or CONFIG_IOMMUFD." : trust)
        }
        let who = [type1.isAllowed ? "vfio_iommu_type1" : nil, iommufd.isAllowed ? "iommufd" : nil].compactMap { $0 }
        return .note(.interruptRemapping, text + "\(who.joined(separator: " and ")) allows it.", fix: fix, advice: fix.map { _ in trust })
    }

    private static func allowance(_ module: String, _ presence: VFIOFacts.Presence, _ allows: Bool?) -> (isAllowed: Bool, fix: String?) {
        switch (allows, presence) {
        case (true, _): (true, nil)
        case (false, _): (false, "echo 1 > /sys/module/\(module)/parameters/allow_unsafe_interrupts")
        // iommufd is worth loading for more than this; its own check says so.
        case (nil, .loadable) where module != "iommufd": (false, "modprobe \(module) allow_unsafe_interrupts=1")
        case (nil, _): (false, nil)
        }
    }

    private static func noIOMMUMode(_ facts: HostFacts) -> [Finding] {
        switch facts.vfio.noIOMMUModeIsOn {
        case .some(true) where !facts.iommu.units.isEmpty:
            return [
                .note(
                    .noIOMMU, "vfio's no-IOMMU mode is on though there is an IOMMU: it serves devices that the IOMMU leaves out.",
                    fix: "echo 0 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode")
            ]
        case .some(true):
            let tainted = facts.vfio.kernelIsTaintedByUser ? "; the kernel is tainted by its use" : ""
            return [.note(.noIOMMU, "vfio's no-IOMMU mode is on\(tainted). unic uses it when it is asked for: ?iommu=noiommu.")]
        case .some(false): return [.ok(.noIOMMU, "vfio's no-IOMMU mode is off.")]
        case .none: return []
        }
    }
}
