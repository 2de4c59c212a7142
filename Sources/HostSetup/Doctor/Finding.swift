/// One thing that was looked at, and what is to be done about it.
public struct Finding: Equatable, Sendable {
    public enum State: String, Sendable {
        case ok
        /// A NIC cannot be used as long as this is so.
        case problem
        /// Something to know, or to do better.
        case note
    }

    public enum Check: String, Sendable, CaseIterable {
        case iommu
        case interruptRemapping = "interrupt-remapping"
        case vfio
        case iommufd
        case noIOMMU = "no-iommu"
        case permissions
        case memlock
        case hugepages
        case dmaLimit = "dma-limit"
        case nic
        case group
        case sriov = "sr-iov"
    }

    public let check: Check
    /// The function that it is about; nil: the machine.
    public let device: String?
    public let state: State
    /// A sentence.
    public let text: String
    /// A command for root's shell, on one line, after which the finding is gone.
    public let fix: String?
    /// What no single command does, or what to know before the fix.
    public let advice: String?

    static func ok(_ check: Check, device: String? = nil, _ text: String) -> Finding {
        Finding(check: check, device: device, state: .ok, text: text, fix: nil, advice: nil)
    }

    static func problem(_ check: Check, device: String? = nil, _ text: String, fix: String? = nil, advice: String? = nil) -> Finding {
        Finding(check: check, device: device, state: .problem, text: text, fix: fix, advice: advice)
    }

    static func note(_ check: Check, device: String? = nil, _ text: String, fix: String? = nil, advice: String? = nil) -> Finding {
        Finding(check: check, device: device, state: .note, text: text, fix: fix, advice: advice)
    }
}
