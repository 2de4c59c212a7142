import ArgumentParser
import Devices
import LinuxIO
import Logging
import NicDriver
import PingPong

struct PingPongCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pingpong",
        abstract: "Measure the latency between two NIC ports.",
        discussion: """
            With no device both ports are NIC models on a wire of their own, in this process. With --server and --client
            the two ends are two processes, each with a device on the same wire. Sizes are frame sizes on the wire, FCS
            included; what is below 64 goes out as 64. Every payload is compared. Latency is half of a round trip.

            Examples:
              unic pingpong
              unic pingpong --sizes 64,1518,9018 --count 10000 --json
              unic pingpong --device vfio:0000:01:00.0 --device vfio:0000:02:00.0 --interrupts
              unic pingpong --server --device soft:lab & unic pingpong --client --device soft:lab
              unic pingpong --mpi --sizes 8,1024,8192
            """)

    @Option(help: ArgumentHelp("The client's device, then the server's; one URL is used for both ends if it can be.", valueName: "url"))
    var device: [String] = []
    @Flag(help: "Only answer a client.")
    var server = false
    @Flag(help: "Only measure against a server.")
    var client = false
    @Option(help: ArgumentHelp("Frame sizes in bytes, with commas between.", valueName: "list"))
    var sizes = "64,256,1024,1518"
    @Flag(
        help:
            "Then measure an MPI program, too: --sizes are those of messages, each is the payload of one frame of the raw port, and the table shows what MPI adds."
    )
    var mpi = false
    @OptionGroup var mpiProgram: MPIPingPongOptions
    @Option(help: "Measured round trips of each size.")
    var count = 10_000
    @Option(help: "Round trips of each size before them, not measured.")
    var warmup = 1_000
    @Option(help: ArgumentHelp("CPUs of the client's and the server's thread, with a comma between.", valueName: "list"))
    var cpus = ""
    @OptionGroup var memory: MemoryOptions
    @OptionGroup var backend: BackendOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var reconnecting: ReconnectOptions
    @Option(help: ArgumentHelp("A ping without an answer for so long is lost.", valueName: "milliseconds"))
    var timeout: UInt64 = 1000
    @Option(help: ArgumentHelp("A server without a client, or a client without a server, ends after so long.", valueName: "seconds"))
    var wait: UInt64?
    @Option(help: "Seed of the payloads; random if not given.")
    var seed: UInt64?
    @Flag(help: "Write one JSON object to standard output instead of a table.")
    var json = false
    @Option(help: ArgumentHelp("Draw the distribution into an SVG file.", valueName: "file"))
    var plot: String?
    @Option(help: ArgumentHelp("Keep the first frames in a capture file; copying them disturbs what is measured.", valueName: "file"))
    var pcap: String?
    @OptionGroup var logging: LoggingOptions

    /// Bytes of frames that a capture keeps.
    private static let captureLimit = 16 << 20

    func validate() throws {
        if server && client { throw ValidationError("--server and --client exclude each other: leave both out to have both ends here.") }
        if (server || client) && device.count != 1 { throw ValidationError("--server and --client take exactly one --device.") }
        if device.count > 2 { throw ValidationError("At most two --device can be given: the client's, then the server's.") }
        if mpi && (server || client || plot != nil || pcap != nil) {
            throw ValidationError("--mpi measures two ends here, in figures: leave out --server, --client, --plot and --pcap.")
        }
        let options = try makeOptions()
        if let problem = options.problem { throw ValidationError(problem) }
    }

    func run() throws {
        let stop = StopFlag()
        try ShutdownSignals.raise(stop)
        let logger = logging.start()
        // What is missing for the second half is said before the first.
        let messages = mpi ? try mpiProgram.prepare(sizes: numbers(sizes, "--sizes"), count: count, warmup: warmup, devices: device) : nil
        let options = try makeOptions()
        let urls: (client: DeviceURL, server: DeviceURL)
        do { urls = try deviceURLs(options) } catch { throw Ending.failed("\(error)") }
        logger.info("client \(urls.client), server \(urls.server), seed \(options.seed)")
        let progress = PingPongProgress()
        let notices = MemoryNotices()
        let bar = ProgressBar(
            total: options.sizes.count * (options.count + options.warmup), progress: progress,
            isShown: !server && StandardStream.error.isTerminal)
        let report = PingPong.run(
            options, client: opening(urls.client, options, notices, logger), server: opening(urls.server, options, notices, logger),
            stop: stop, progress: progress)
        bar.finish()
        if let messages {
            try end(report, stop)
            return try messages.run(besides: report, json: json, stop: stop)
        }
        let output = PingPongOutput(
            report: report, options: options, memory: notices.texts, wire: urls.client.scheme == .soft ? urls.client.location : nil)
        StandardStream.output.write(json ? output.json : output.table)
        try writeFiles(output)
        try end(report, stop)
    }

    private func writeFiles(_ output: PingPongOutput) throws {
        do {
            if let plot { try writeFile(plot, Array(output.plot.utf8)) }
            if let pcap { try writeFile(pcap, output.capture) }
        } catch { throw Ending.failed("\(error)") }
    }

    private func end(_ report: PingPongReport, _ stop: StopFlag) throws {
        if let failure = report.failure, !report.wasInterrupted { throw Ending.failed(failure.description) }
        if report.wasInterrupted { throw Ending.interrupted(stop) }
        if report.corruptFrames > 0 { throw Ending.failed("\(report.corruptFrames) frames arrived with another payload than was sent.") }
        if !server, report.results.allSatisfy({ $0.halfRoundTrip == nil }) { throw Ending.failed("No round trip was completed.") }
    }

    private func makeOptions() throws -> PingPongOptions {
        var options = PingPongOptions()
        options.role = server ? .server : client ? .client : .both
        options.sizes = try numbers(sizes, "--sizes")
        if mpi { options.sizes = LayerComparison.frameSizes(ofMessages: options.sizes) }
        options.cpus = cpus.isEmpty ? [] : try numbers(cpus, "--cpus")
        options.count = count
        options.warmup = warmup
        options.wait = waiting.mode
        options.recovery = reconnecting.recovery(for: device)
        options.pingTimeoutMilliseconds = min(timeout, 3_600_000)
        if let wait {
            options.helloTimeoutMilliseconds = min(wait, 86_400) * 1000
            options.idleTimeoutMilliseconds = min(wait, 86_400) * 1000
        }
        if let seed { options.seed = seed }
        if pcap != nil { options.captureByteCount = Self.captureLimit }
        return options
    }

    private func numbers(_ text: String, _ option: String) throws -> [Int] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let number = Int(part), number >= 0 else {
                throw ValidationError("'\(part)' of \(option) is no number. Write it like \(option) 64,1518.")
            }
            return number
        }
    }

    /// Which device each end uses. Without one: a wire that only this process knows.
    private func deviceURLs(_ options: PingPongOptions) throws -> (client: DeviceURL, server: DeviceURL) {
        let first = try DeviceURL(device.first ?? "soft:pingpong-\(processIdentifier)")
        let second = try device.count == 2 ? DeviceURL(device[1]) : first
        if options.role == .both && device.count == 1 && first.scheme != .soft {
            throw ValidationError("\(first) is one port. Name a second --device for the other end, or run with --server or --client.")
        }
        if first.parameters["mac"] != nil && options.role == .both && first == second {
            throw ValidationError("\(first) would give both ends the same MAC address. Name two --device with different ones.")
        }
        return (first, second)
    }

    private func opening(_ url: DeviceURL, _ options: PingPongOptions, _ notices: MemoryNotices, _ logger: Logger) -> PingPong.Opening {
        var port = PortOptions()
        port.maximumFrameByteCount = options.maximumFrameByteCount
        port.wait = options.wait
        port.publishesStatistics = true
        // A wire in memory has a carrier as soon as somebody else is on it; a real link is negotiated for seconds.
        port.linkTimeoutMilliseconds = url.scheme != .soft || options.role == .both ? 5000 : 200
        port.memory = memory.preference
        port.allowsNoIOMMU = backend.allowNoiommu
        let chosen = port
        return { () throws(PortError) in
            try Devices.open(
                url.description, options: chosen, memoryNotice: { notices.add(url.description, $0) }, backendNotice: { logger.tell($0) })
        }
    }
}
