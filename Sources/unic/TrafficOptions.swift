import ArgumentParser
import Devices
import LinuxIO
import NicDriver
import Reports
import Traffic

/// Options of the commands that move many frames: generate, count and forward.
struct TrafficOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Queue pairs to use, a thread each (soft: one thread for all).", valueName: "n"))
    var queues = 1
    @Option(help: "End after so many frames.")
    var count: UInt64?
    @Option(help: ArgumentHelp("End after so long.", valueName: "seconds"))
    var seconds: Double?
    @Option(help: ArgumentHelp("End when no frame was moved for so long, after the first.", valueName: "seconds"))
    var idle: Double?
    @Flag(help: "Write one JSON object to standard output instead of text.")
    var json = false
    @OptionGroup var memory: MemoryOptions
    @OptionGroup var backend: BackendOptions
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var reconnecting: ReconnectOptions
    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard (1...PortOptions.queuePairLimit).contains(queues) else {
            throw ValidationError("--queues takes 1 to \(PortOptions.queuePairLimit).")
        }
        for (name, value) in [("--seconds", seconds), ("--idle", idle)] {
            if let value, !(value > 0 && value <= 1e6) { throw ValidationError("\(name) takes a number of seconds above 0.") }
        }
        if let count, count < 1 { throw ValidationError("The count must be at least 1.") }
    }

    /// Opens a port for many frames.
    func openPort(_ url: String, maximumFrameByteCount: Int, usesInterrupts: Bool) throws(PortError) -> any Port {
        var options = PortOptions()
        options.queuePairCount = queues
        options.maximumFrameByteCount = maximumFrameByteCount
        options.wait = usesInterrupts ? waiting.mode : .poll
        options.memory = memory.preference
        options.publishesStatistics = true
        options.allowsNoIOMMU = backend.allowNoiommu
        return try Devices.open(
            url, options: options, memoryNotice: { StandardStream.error.write("unic: packet memory of \(url): \($0)\n") },
            backendNotice: { logging.tell($0) })
    }

    /// Works, stops the ports, tells, and ends as a command ends.
    func run(_ ports: [any Port], _ workers: [any TrafficWorker], _ command: String) throws {
        let stop = StopFlag()
        try ShutdownSignals.raise(stop)
        let logger = logging.start()
        let isModel = ports.contains { $0.url.hasPrefix("soft:") }
        var crew = Crew(ports: ports, workers: workers, usesThreads: !isModel && workers.count > 1)
        crew.recovery = reconnecting.recovery
        crew.milliseconds = seconds.map { UInt64($0 * 1000) }
        crew.idleMilliseconds = idle.map { UInt64($0 * 1000) }
        for port in ports { logger.info("\(command): \(port.url), \(port.family), \(port.macAddress)") }
        let report = crew.run(stop: stop)
        let output = TrafficOutput(command: command, ports: ports, report: report)
        StandardStream.output.write(json ? output.json : output.text)
        var failure = report.failure
        for port in ports {
            do { try port.stop() } catch { failure = failure ?? "\(error)" }
        }
        if let failure { throw Ending.failed(failure) }
        if stop.isRaised { throw Ending.interrupted(stop) }
    }
}

/// A run's result, for people and for programs.
struct TrafficOutput {
    let command: String
    let ports: [any Port]
    let report: TrafficReport

    private static var columns: [(name: String, value: KeyPath<TrafficTally, UInt64>)] {
        [
            ("frames", \.frames), ("bytes", \.bytes), ("missing", \.missingFrames), ("late", \.lateFrames), ("foreign", \.foreignFrames),
            ("dropped", \.droppedFrames),
        ]
    }

    var text: String {
        var table = TextTable(header: ["worker"] + Self.columns.map(\.name))
        for (index, tally) in report.workers.enumerated() {
            table.append(["\(index)"] + Self.columns.map { "\(tally[keyPath: $0.value])" })
        }
        if report.workers.count > 1 { table.append(["all"] + Self.columns.map { "\(report.total[keyPath: $0.value])" }) }
        let rate =
            "\(decimal(report.framesPerSecond / 1000, places: 1)) kframes/s, \(decimal(report.bitsPerSecond / 1e6, places: 1)) Mbit/s"
        var text = table.text + "\(rate) in \(decimal(Double(report.nanoseconds) / 1e9, places: 3)) s\n"
        if report.linkDownCount > 0 { text += "The link went down \(report.linkDownCount) times.\n" }
        if report.recoveryCount > 0 {
            text += "A device came back \(report.recoveryCount) times; \(lostInRecovery) frames were in its rings.\n"
        }
        return text
    }

    var json: String {
        JSONValue.object([
            ("version", .string(unicVersion)), ("command", .string(command)), ("devices", .array(ports.map { .string($0.url) })),
            ("workers", .array(report.workers.map(tally))), ("total", tally(report.total)),
            ("seconds", .number(Double(report.nanoseconds) / 1e9)),
            ("frames_per_second", .number(report.framesPerSecond)), ("bits_per_second", .number(report.bitsPerSecond)),
            ("link_down", .integer(report.linkDownCount)), ("recoveries", .integer(report.recoveryCount)),
            ("lost_in_recovery", .unsigned(lostInRecovery)), ("error", report.failure.map { .string($0) } ?? .null),
        ]).text + "\n"
    }

    private var lostInRecovery: UInt64 { ports.reduce(0) { $0 &+ $1.counters.framesLostInRecovery } }

    private func tally(_ tally: TrafficTally) -> JSONValue {
        .object(Self.columns.map { ($0.name, .unsigned(tally[keyPath: $0.value])) })
    }
}
