import Histogram
import NicDriver
import PingPong
import Reports

/// A ping-pong's report as table, JSON, picture and capture.
struct PingPongOutput {
    let report: PingPongReport
    let options: PingPongOptions
    /// Where the packets' memory came from.
    let memory: [String]
    let wire: String?

    private var mode: String { options.role.rawValue }
    private var waiting: String {
        switch options.wait {
        case .poll: "polling"
        case .interrupt: "interrupts"
        case .adaptive(let spin): "interrupts after \(spin) µs of polling"
        }
    }

    var table: String {
        var text = report.ports.map { "\($0.role.rawValue): \($0.url) (\($0.family), \($0.macAddress))\n" }.joined()
        text += memory.map { $0 + "\n" }.joined()
        if !report.results.isEmpty {
            text += "Half round trips in µs, \(waiting):\n"
            var table = TextTable(header: ["size", "count", "lost", "min", "median", "mean", "p99", "p99.9", "max"])
            for result in report.results {
                let half = result.halfRoundTrip
                let values = half.map { [$0.min, $0.median, $0.mean, $0.p99, $0.p999, $0.max] } ?? []
                table.append([String(result.size), String(result.count), String(result.lost)] + values.map { decimal($0, places: 2) })
            }
            text += table.text
        }
        if let served = report.served, options.role == .server {
            text += "Answered \(served.pings) pings of \(served.sessions) clients.\n"
        }
        text += losses
        return text
    }

    private var losses: String {
        var text = ""
        if report.lostFrames > 0 {
            text += "\(report.lostFrames) pings were lost: no answer within \(options.pingTimeoutMilliseconds) ms.\n"
        }
        if report.corruptFrames > 0 {
            text += "\(report.corruptFrames) frames arrived CORRUPT: their payload is not the one that was sent.\n"
        }
        for port in report.ports where port.counters.recoveries > 0 {
            text +=
                "\(port.url) was lost and came back \(port.counters.recoveries) times; \(port.counters.framesLostInRecovery) frames were in its rings.\n"
        }
        if let capture = report.capture, capture.omittedFrames > 0 {
            text += "\(capture.omittedFrames) frames did not fit into the capture.\n"
        }
        return text
    }

    var json: String {
        var members: [(key: String, value: JSONValue)] = [
            ("version", .string(unicVersion)), ("mode", .string(mode)), ("waiting", .string(waiting)),
            ("wire", wire.map(JSONValue.string) ?? .null), ("devices", .array(report.ports.map(device))),
            ("memory", .array(memory.map(JSONValue.string))), ("results", .array(report.results.map(result))),
            ("lost", .integer(report.lostFrames)),
            ("corrupt", .integer(report.corruptFrames)), ("interrupted", .bool(report.wasInterrupted)),
            ("first_frame_ms", report.nanosecondsToFirstFrame.map { .number(Double($0) / 1e6) } ?? .null),
            ("error", report.failure.map { .string($0.description) } ?? .null),
        ]
        if let served = report.served {
            members.append(("served", .object([("pings", .integer(served.pings)), ("corrupt", .integer(served.corrupt))])))
        }
        return JSONValue.object(members).text + "\n"
    }

    private func result(_ result: SizeResult) -> JSONValue {
        let half = result.halfRoundTrip
        func value(_ path: KeyPath<HalfRoundTrip, Double>) -> JSONValue { half.map { .number($0[keyPath: path]) } ?? .null }
        return .object([
            ("size", .integer(result.size)), ("count", .integer(result.count)), ("lost", .integer(result.lost)),
            ("corrupt", .integer(result.corrupt)),
            (
                "half_rtt_us",
                .object([
                    ("min", value(\.min)), ("median", value(\.median)), ("mean", value(\.mean)), ("p99", value(\.p99)),
                    ("p999", value(\.p999)), ("max", value(\.max)),
                ])
            ),
        ])
    }

    private func device(_ port: PortSummary) -> JSONValue {
        .object([
            ("url", .string(port.url)), ("role", .string(port.role.rawValue)), ("family", .string(port.family)),
            ("mac", .string(port.macAddress.description)),
            (
                "driver",
                .object([
                    ("sent", .unsigned(port.counters.sentFrames)), ("received", .unsigned(port.counters.receivedFrames)),
                    ("recoveries", .unsigned(port.counters.recoveries)),
                    ("lost_in_recovery", .unsigned(port.counters.framesLostInRecovery)),
                ])
            ),
            (
                "device",
                port.deviceCounters.map {
                    .object([
                        ("sent", .unsigned($0.sentFrames)), ("received", .unsigned($0.receivedFrames)),
                        ("missed", .unsigned($0.missedFrames)),
                    ])
                } ?? .null
            ),
        ])
    }

    /// The distribution of each size.
    var plot: String {
        let curves = report.results.filter { $0.halfRoundTrip != nil }.map { result in
            LatencyPlot.Curve(
                name: "\(result.size) B",
                points: result.roundTrips.percentiles(ticksPerHalfDistance: 20).map { ($0.percentile / 100, Double($0.value) / 2000) })
        }
        let devices = report.ports.map(\.url)
        return LatencyPlot(
            title: "Half round trip between two NIC ports",
            subtitle: "\(devices.joined(separator: " ↔ ")), \(waiting), \(options.count) round trips a size",
            curves: curves
        ).svg
    }

    /// The captured frames as a pcap file.
    var capture: [UInt8] {
        var file = PcapFile()
        if let capture = report.capture {
            for frame in capture.frames { file.append(frame: capture.bytes(of: frame), nanoseconds: frame.nanoseconds) }
        }
        return file.bytes
    }
}
