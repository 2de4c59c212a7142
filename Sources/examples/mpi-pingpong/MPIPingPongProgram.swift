import ArgumentParser
import LinuxIO
import MPIExamples
import Reports

/// Latency between two MPI ranks. As it stands it says nothing of unic: how its messages go is said to mpirun.
@main
struct MPIPingPongProgram: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mpi-pingpong", abstract: "Measure the latency between two MPI ranks.",
        discussion: "Example: mpirun $(unic mpirun-args) -n 2 mpi-pingpong --sizes 8,1024,65536")

    @Option(help: ArgumentHelp("Message sizes in bytes, with commas between; at most 64 MiB.", valueName: "list"))
    var sizes = "8,64,1024,8192,65536"
    @Option(help: "Measured round trips of each size.")
    var count = 1000
    @Option(help: "Round trips of each size before them, not measured.")
    var warmup = 100
    @Flag(help: "Write one JSON object instead of a table.")
    var json = false

    func validate() throws {
        _ = try byteCounts()
        guard (1...10_000_000).contains(count), (0...10_000_000).contains(warmup) else {
            throw ValidationError("--count takes 1 to 10000000, --warmup 0 to 10000000.")
        }
    }

    func run() throws {
        let sizes = try byteCounts()
        Communicator.run { ranks in
            guard ranks.count >= 2 else {
                StandardStream.error.write("mpi-pingpong: two ranks are needed: mpirun -n 2.\n")
                ranks.abort()
            }
            let pingPong = MessagePingPong(count: count, warmup: warmup)
            let results = sizes.map { ($0, pingPong.run(byteCount: $0, on: ranks)) }
            guard ranks.rank == 0 else { return }
            let lines = results.compactMap { size, times in times.map { Line(size: size, times: $0) } }
            guard lines.count == sizes.count else {
                StandardStream.error.write("mpi-pingpong: a message came back with another payload than was sent.\n")
                ranks.abort()
            }
            StandardStream.output.write(json ? Line.json(lines) : Line.table(lines))
        }
    }

    private func byteCounts() throws -> [Int] {
        try sizes.split(separator: ",", omittingEmptySubsequences: false).map { text in
            guard let size = Int(text), (0...64 << 20).contains(size) else {
                throw ValidationError("'\(text)' of --sizes is no size up to 64 MiB. Write it like --sizes 8,1024.")
            }
            return size
        }
    }
}

/// One size's half round trips.
private struct Line {
    let size: Int
    /// Microseconds, ascending, at least one.
    let times: [Double]

    private static let columns = ["min", "median", "mean", "p99", "p999", "max"]
    private var values: [Double] {
        func percentile(_ part: Double) -> Double { times[min(Int(part * Double(times.count)), times.count - 1)] }
        let mean = times.reduce(0, +) / Double(times.count)
        return [times[0], percentile(0.5), mean, percentile(0.99), percentile(0.999), times[times.count - 1]]
    }

    static func table(_ lines: [Line]) -> String {
        var table = TextTable(header: ["size", "count"] + columns)
        for line in lines { table.append(["\(line.size)", "\(line.times.count)"] + line.values.map { decimal($0, places: 2) }) }
        return "Half round trips in µs:\n" + table.text
    }

    static func json(_ lines: [Line]) -> String {
        let results = lines.map { line in
            JSONValue.object([
                ("size", .integer(line.size)), ("count", .integer(line.times.count)),
                ("half_rtt_us", .object(zip(columns, line.values).map { ($0, .number($1)) })),
            ])
        }
        return JSONValue.object([("results", .array(results))]).text + "\n"
    }
}
