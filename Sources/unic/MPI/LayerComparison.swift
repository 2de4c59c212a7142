import PingPong
import Reports

/// Half round trips of a raw port and of MPI, size by size.
struct LayerComparison {
    /// What an MPI program measured for one size, in microseconds.
    struct Messages: Equatable {
        let size: Int
        let count: Int
        let minimum: Double
        let median: Double
        let p99: Double

        /// From `{"results":[{"size":8,"count":100,"half_rtt_us":{"min":…}}]}`, as the examples print it; nil: it is none.
        static func parse(_ bytes: [UInt8]) -> [Messages]? {
            guard case .array(let results)? = JSONValue(parsing: bytes)?["results"] else { return nil }
            var lines: [Messages] = []
            for result in results {
                guard case .integer(let size)? = result["size"], case .integer(let count)? = result["count"],
                    let half = result["half_rtt_us"], let minimum = number(half["min"]), let median = number(half["median"]),
                    let p99 = number(half["p99"])
                else { return nil }
                lines.append(Messages(size: size, count: count, minimum: minimum, median: median, p99: p99))
            }
            return lines
        }

        private static func number(_ value: JSONValue?) -> Double? {
            switch value {
            case .number(let value)?: value
            case .integer(let value)?: Double(value)
            default: nil
            }
        }
    }

    let raw: [SizeResult]
    let messages: [Messages]

    /// Ethernet's header and checksum around a message that is a frame's payload, bytes (IEEE 802.3 §3.1.1).
    private static let framingByteCount = 18

    /// The frame on the wire whose payload is a message of that size; nil: no frame is so long.
    static func frameSize(ofMessage byteCount: Int) -> Int? {
        let size = max(64, byteCount + framingByteCount)
        return size <= PingPongOptions.maximumWireByteCount ? size : nil
    }

    /// Each once, and at least one: a raw port is measured in any case.
    static func frameSizes(ofMessages sizes: [Int]) -> [Int] {
        let frames = Set(sizes.compactMap(frameSize)).sorted()
        return frames.isEmpty ? [64] : frames
    }

    private func raw(for size: Int) -> HalfRoundTrip? {
        Self.frameSize(ofMessage: size).flatMap { frame in raw.first { $0.size == frame }?.halfRoundTrip }
    }

    var table: String {
        var table = TextTable(header: ["message", "frame", "raw min", "raw median", "MPI min", "MPI median", "MPI p99", "MPI adds"])
        for line in messages {
            let port = raw(for: line.size)
            func text(_ value: Double?) -> String { value.map { decimal($0, places: 2) } ?? "-" }
            table.append([
                "\(line.size)", Self.frameSize(ofMessage: line.size).map { "\($0)" } ?? "-", text(port?.min), text(port?.median),
                text(line.minimum), text(line.median), text(line.p99), text(port.map { line.median - $0.median }),
            ])
        }
        return "Half round trips in µs, of a frame with the message as its payload and of the message by MPI:\n" + table.text
    }

    var json: String {
        let results = messages.map { line in
            let port = raw(for: line.size)
            return JSONValue.object([
                ("size", .integer(line.size)), ("frame", Self.frameSize(ofMessage: line.size).map(JSONValue.integer) ?? .null),
                ("count", .integer(line.count)),
                (
                    "raw_half_rtt_us",
                    port.map { .object([("min", .number($0.min)), ("median", .number($0.median)), ("p99", .number($0.p99))]) } ?? .null
                ),
                (
                    "mpi_half_rtt_us",
                    .object([("min", .number(line.minimum)), ("median", .number(line.median)), ("p99", .number(line.p99))])
                ),
            ])
        }
        return JSONValue.object([("version", .string(unicVersion)), ("results", .array(results))]).text + "\n"
    }
}
