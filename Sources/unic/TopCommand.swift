import ArgumentParser
import LinuxIO
import NicDriver
import Reports

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show what running ports count: frames, drops by reason, rings, polls, interrupts and registers.",
        discussion: """
            Ports of generate, count, forward, echo and pingpong show themselves to other processes of the same user, and
            to root. Reading disturbs nothing. Rates are those since the sample before.

            Example: unic top --samples 1
            """)

    @Option(help: ArgumentHelp("Time between two samples.", valueName: "seconds"))
    var interval = 1.0
    @Option(help: "End after so many samples; 0 goes on until it is interrupted.")
    var samples = 0
    @Flag(help: "Show the devices' registers, too, as their ports read them last.")
    var registers = false
    @Flag(help: "Write one JSON object a sample, on a line of its own.")
    var json = false

    func validate() throws {
        guard interval >= 0.01, interval <= 86_400 else { throw ValidationError("--interval takes 0.01 to 86400 seconds.") }
        guard samples >= 0 else { throw ValidationError("--samples cannot be negative.") }
    }

    func run() throws {
        let stop = StopFlag()
        try ShutdownSignals.raise(stop)
        var before: [PublishedPort] = []
        var count = 0
        while !stop.isRaised {
            let now = PublishedPort.all()
            let view = TopView(ports: now, before: before)
            if !json, samples != 1, StandardStream.output.isTerminal { StandardStream.output.write("\u{1B}[H\u{1B}[2J") }
            StandardStream.output.write(json ? view.json : view.text + (registers ? view.registerText : ""))
            before = now
            count += 1
            if samples > 0, count >= samples { return }
            let deadline = Deadline(afterMilliseconds: UInt64(interval * 1000))
            while !stop.isRaised, !deadline.hasPassed { sleep(milliseconds: min(100, UInt32(max(1, deadline.remainingMilliseconds)))) }
        }
    }
}

/// One sample of all ports.
struct TopView {
    let ports: [PublishedPort]
    let before: [PublishedPort]

    var text: String {
        guard !ports.isEmpty else { return "No port is running. Start one, for example: unic count --device soft:lab\n" }
        var table = TextTable(header: [
            "pid", "device", "queue", "rx/s", "tx/s", "rx frames", "tx frames", "rx drops", "tx drops", "missed", "rx batch", "tx ring",
            "polls hit",
            "interrupts", "link",
        ])
        for port in ports {
            for (index, queue) in port.queuePairs.enumerated() {
                let counters = queue.counters
                let drops = counters.receiveLengthErrors &+ counters.receiveErrors
                let polls = counters.pollHits &+ counters.pollMisses
                table.append([
                    "\(port.processIdentifier)", port.url, "\(index)", rate(port, index, \.receivedFrames), rate(port, index, \.sentFrames),
                    "\(counters.receivedFrames)", "\(counters.sentFrames)", "\(drops)", "\(counters.sendLengthErrors)",
                    index == 0 ? port.deviceCounters.map { "\($0.missedFrames)" } ?? "-" : "", "\(queue.lastBatch)",
                    "\(queue.inFlight)/\(port.transmitRingSize)",
                    polls == 0 ? "-" : decimal(100 * Double(counters.pollHits) / Double(polls), places: 1) + " %", "\(counters.interrupts)",
                    index == 0 ? port.linkIsUp.map { $0 ? "up" : "down" } ?? "-" : "",
                ])
            }
        }
        return table.text
    }

    /// The registers of every port that has published some.
    var registerText: String {
        var table = TextTable(header: ["pid", "device", "register", "value"])
        for port in ports {
            for register in port.registers {
                table.append(["\(port.processIdentifier)", port.url, register.name, "0x" + String(register.value, radix: 16)])
            }
        }
        return table.text
    }

    /// Frames a second since the sample before.
    private func rate(_ port: PublishedPort, _ queue: Int, _ field: KeyPath<QueueCounters, UInt64>) -> String {
        perSecond(port, queue, field).map { decimal($0, places: 0) } ?? "-"
    }

    private func perSecond(_ port: PublishedPort, _ queue: Int, _ field: KeyPath<QueueCounters, UInt64>) -> Double? {
        let old = before.first { $0.processIdentifier == port.processIdentifier && $0.url == port.url && $0.macAddress == port.macAddress }
        guard let old, old.queuePairs.indices.contains(queue), port.readAt > old.readAt else { return nil }
        let moved = port.queuePairs[queue].counters[keyPath: field] &- old.queuePairs[queue].counters[keyPath: field]
        return Double(moved) * 1e9 / Double(port.readAt - old.readAt)
    }

    var json: String { JSONValue.object([("ports", .array(ports.map(value)))]).text + "\n" }

    private func value(_ port: PublishedPort) -> JSONValue {
        .object([
            ("pid", .integer(port.processIdentifier)), ("device", .string(port.url)), ("family", .string(port.family)),
            ("mac", .string(port.macAddress.description)), ("link", port.linkIsUp.map(JSONValue.bool) ?? .null),
            ("receive_ring", .integer(port.receiveRingSize)), ("transmit_ring", .integer(port.transmitRingSize)),
            ("queues", .array(port.queuePairs.indices.map { queue(port, $0) })),
            ("registers", .object(port.registers.map { ($0.name, .unsigned($0.value)) })),
            (
                "device_counters",
                port.deviceCounters.map {
                    .object([
                        ("received_frames", .unsigned($0.receivedFrames)), ("received_bytes", .unsigned($0.receivedBytes)),
                        ("sent_frames", .unsigned($0.sentFrames)), ("sent_bytes", .unsigned($0.sentBytes)),
                        ("missed_frames", .unsigned($0.missedFrames)), ("receive_errors", .unsigned($0.receiveErrors)),
                    ])
                } ?? .null
            ),
        ])
    }

    private func queue(_ port: PublishedPort, _ index: Int) -> JSONValue {
        let queue = port.queuePairs[index]
        let counters = queue.counters
        return .object([
            ("received_frames", .unsigned(counters.receivedFrames)), ("received_bytes", .unsigned(counters.receivedBytes)),
            ("sent_frames", .unsigned(counters.sentFrames)), ("sent_bytes", .unsigned(counters.sentBytes)),
            ("receive_length_errors", .unsigned(counters.receiveLengthErrors)), ("receive_errors", .unsigned(counters.receiveErrors)),
            ("refill_starved", .unsigned(counters.refillStarved)), ("send_length_errors", .unsigned(counters.sendLengthErrors)),
            ("poll_hits", .unsigned(counters.pollHits)), ("poll_misses", .unsigned(counters.pollMisses)),
            ("interrupts", .unsigned(counters.interrupts)), ("last_batch", .unsigned(queue.lastBatch)),
            ("in_flight", .unsigned(queue.inFlight)), ("recoveries", .unsigned(counters.recoveries)),
            ("lost_in_recovery", .unsigned(counters.framesLostInRecovery)),
            ("received_per_second", perSecond(port, index, \.receivedFrames).map(JSONValue.number) ?? .null),
            ("sent_per_second", perSecond(port, index, \.sentFrames).map(JSONValue.number) ?? .null),
        ])
    }
}
