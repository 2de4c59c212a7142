public import DeviceAccess

/// What was found on a machine, and what it means for NICs.
public struct Diagnosis: Equatable, Sendable {
    public let findings: [Finding]
    /// Of the NICs that were looked at.
    public let outlooks: [Outlook]

    /// Whether a real NIC can be used now, by this caller.
    public var works: Bool { outlooks.contains { !$0.working.isEmpty } }

    /// - Parameter device: look at this function only; nil for every network controller.
    public init(_ facts: HostFacts, device: PCIAddress? = nil) {
        let functions = device.map { wanted in facts.functions.filter { $0.address == wanted } } ?? facts.networkControllers
        let outlooks = functions.map { Outlook($0, facts) }
        self.outlooks = outlooks
        let machine = IOMMUChecks.findings(facts) + VFIOChecks.findings(facts) + LimitChecks.findings(facts, functions)
        findings = machine + NICChecks.findings(facts, outlooks, device: device)
    }

    /// One sentence: what works, or that nothing does.
    public var verdict: String {
        let ready = outlooks.filter { !$0.working.isEmpty }
        guard ready.isEmpty else {
            let names = ready.map { outlook in
                let ways = outlook.working.map { $0 == .noIOMMU ? "noiommu, in which the device reaches all of memory" : $0.rawValue }
                return "\(outlook.function.url ?? "\(outlook.function.address)") (\(ways.joined(separator: ", ")))"
            }
            return "Ready: \(names.joined(separator: ", "))."
        }
        let problems = findings.filter { $0.state == .problem }
        let fixable = problems.filter { $0.fix != nil }.count
        let count = problems.count == 1 ? "1 problem" : "\(problems.count) problems"
        return "Not ready: only soft: and vfio-user: work here. \(count), \(fixable) with a command that fixes it."
    }
}
