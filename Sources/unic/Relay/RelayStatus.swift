import Devices
import IOMMURelay
import LinuxIO
import RelayPlan
import Reports
import VfioUser

/// What a relay tells of itself: its IOMMU, endpoint by endpoint, and the connections of its functions.
struct RelayStatus: Sendable {
    private let published: PublishedRelay
    private let control: ServerControl
    private let functions: [(name: String, endpoint: UInt32, control: ServerControl)]
    private let model: String
    private let startedAt = MonotonicClock.nanoseconds()

    init(_ iommu: RelayedIOMMU, _ relay: Relay, _ plan: RelayPlan) {
        published = iommu.published
        control = iommu.control
        model = plan.options.viommu == .relay ? "virtio-iommu" : "QEMU's \(plan.options.viommu.rawValue)"
        functions = zip(plan.topology.functions, relay.functionControls).map { placed, function in
            (placed.function.name, placed.endpoint, function.control)
        }
    }

    var document: JSONValue {
        let statistics = published.statistics
        let connection = control.statistics
        return .object([
            ("version", .string(unicVersion)), ("pid", .integer(Int(processIdentifier))), ("model", .string(model)),
            ("uptime_seconds", .number(Double(MonotonicClock.nanoseconds() &- startedAt) / 1e9)),
            ("connected", .bool(connection.isConnected)),
            ("messages", .unsigned(connection.messages)),
            ("messages_by_command", .object(connection.commands)),
            ("failed_commands", .unsigned(connection.failedCommands)),
            ("domains", .integer(statistics.domains)), ("mappings", .integer(statistics.mappings)),
            ("mapped_bytes", .unsigned(statistics.mappedBytes)), ("table_bytes", .integer(statistics.tableBytes)),
            ("requests", .object(requests(statistics))),
            ("merges", .unsigned(statistics.merges)), ("merged_unmaps", .unsigned(statistics.mergedUnmaps)),
            ("splits", .unsigned(statistics.splits)), ("losses", .unsigned(statistics.losses)),
            ("late_mappings", .integer(statistics.lateMappings)), ("late_bytes", .unsigned(statistics.lateBytes)),
            ("host_calls_per_request", .number(hostCalls(statistics))),
            ("host_map_calls", .unsigned(statistics.hostMapCalls)), ("host_unmap_calls", .unsigned(statistics.hostUnmapCalls)),
            ("resets", .unsigned(statistics.resets)),
            (
                "faults",
                .object([
                    ("unattached", .unsigned(statistics.faults(.domain))), ("unmapped", .unsigned(statistics.faults(.mapping))),
                    ("lost", .unsigned(statistics.faults(.unknown))),
                    ("dropped", .unsigned(statistics.faultsDropped)),
                ])
            ),
            ("last_faults", .array(statistics.lastFaults.map(fault))),
            (
                "request_nanoseconds",
                .object(statistics.latency.buckets.map { ($0.below.map { "below_\($0)" } ?? "longer", .unsigned($0.count)) })
            ),
            ("troubles", .array(published.troubles.map { .string($0) })),
            ("refusals", .array(published.refusals.map { .string("\($0.status): \($0.reason)") })),
            ("endpoints", .array(statistics.endpoints.map(endpoint))),
        ])
    }

    /// Of each MAP and UNMAP that was carried out.
    private func hostCalls(_ statistics: RelayStatistics) -> Double {
        let calls = statistics.hostMapCalls &+ statistics.hostUnmapCalls
        return statistics.carriedOut == 0 ? 0 : (Double(calls) / Double(statistics.carriedOut) * 1000).rounded() / 1000
    }

    private func fault(_ seen: SeenFault) -> JSONValue {
        let ago = Double(MonotonicClock.nanoseconds() &- seen.nanoseconds) / 1e9
        return .object([("seconds_ago", .number((ago * 1000).rounded() / 1000))] + seen.fault.members)
    }

    /// A kind, and how often it was answered how: "map": {"ok": 12, "range": 1}.
    private func requests(_ statistics: RelayStatistics) -> [(String, JSONValue)] {
        RelayStatistics.Kind.allCases.map { kind in
            let answers = IOMMUStatus.allCases.compactMap { status -> (String, JSONValue)? in
                let count = statistics.answers(kind, status)
                return count > 0 ? ("\(status)", .unsigned(count)) : nil
            }
            return ("\(kind)", .object(answers))
        }
    }

    private func endpoint(_ endpoint: RelayStatistics.Endpoint) -> JSONValue {
        let function = functions.first { $0.endpoint == endpoint.id }
        let connection = function?.control.statistics
        return .object([
            ("id", .string("0x" + String(endpoint.id, radix: 16))), ("name", function.map { .string($0.name) } ?? .null),
            ("group", .string(endpoint.group)), ("state", .string(endpoint.state.text)),
            ("messages", connection.map { .unsigned($0.messages) } ?? .null),
            ("messages_by_command", connection.map { .object($0.commands) } ?? .null),
            ("interrupts", connection.map { .unsigned($0.interrupts) } ?? .null),
        ])
    }

    /// For a person, at the end.
    var text: String {
        let statistics = published.statistics
        var text = ""
        for kind in RelayStatistics.Kind.allCases {
            let count = IOMMUStatus.allCases.reduce(0) { $0 + statistics.answers(kind, $1) }
            text += "\(kind) requests: \(count)\n"
        }
        text += "faults: \(statistics.faults(.domain) + statistics.faults(.mapping))\nmappings: \(statistics.mappings)\n"
        for refusal in published.refusals { text += "\(refusal.status): \(refusal.reason)\n" }
        return text
    }
}

extension ServerStatistics {
    fileprivate var commands: [(String, JSONValue)] {
        messagesByCommand.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key.name, .unsigned($0.value)) }
    }
}

extension RelayStatistics.EndpointState {
    var text: String {
        switch self {
        case .blocked: "blocked"
        case .bypassing: "bypassing"
        case .attached(let domain): "domain \(domain)"
        case .moving: "moving"
        case .failed: "failed"
        }
    }
}
