import ArgumentParser
import LinuxIO
import Reports
import VfioUser

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what a running `unic serve` or `unic relay` has done: clients, messages, memory, faults, domains.",
        discussion: """
            Asks at the second socket that the server has beside its own, SOCKET.status; any program can: it sends one
            JSON object to whoever connects. Numbers are those of the last time that the server had nothing to do.

            Example: unic status /tmp/nic0.sock
                     unic status /tmp/nic0.sock --watch 1
                     unic status /tmp/unic-relay
            """)

    @Argument(help: ArgumentHelp("The socket of `unic serve`, or of a relay's IOMMU (its directory will do).", valueName: "socket"))
    var socket: String
    @Option(help: ArgumentHelp("Ask again and again, with such a pause.", valueName: "seconds"))
    var watch: Double?
    @Flag(help: "Write the JSON object, each time on a line of its own.")
    var json = false

    func validate() throws {
        if let watch, !(0.01...86_400).contains(watch) { throw ValidationError("--watch takes 0.01 to 86400 seconds.") }
    }

    func run() throws {
        let stop = StopFlag()
        try ShutdownSignals.raise(stop)
        while !stop.isRaised {
            let view = try read()
            if !json, watch != nil, StandardStream.output.isTerminal { StandardStream.output.write("\u{1B}[H\u{1B}[2J") }
            StandardStream.output.write(json ? view.json : view.text)
            guard let watch else { return }
            let deadline = Deadline(afterMilliseconds: UInt64(watch * 1000))
            while !stop.isRaised, !deadline.hasPassed { sleep(milliseconds: min(100, UInt32(max(1, deadline.remainingMilliseconds)))) }
        }
    }

    private func read() throws -> StatusView {
        let bytes: [UInt8]
        do { bytes = try StatusReading.read(beside: RelayPath.socket(socket)) } catch { throw Ending.failed("\(error)") }
        guard let view = StatusView(bytes) else {
            throw Ending.failed("\(StatusSocket.path(beside: socket)): what came is no status. Is it the socket of `unic serve`?")
        }
        return view
    }
}

/// A status as people read it. Whoever wrote it is not known: nothing of it steers a terminal.
struct StatusView {
    private let members: [(key: String, value: JSONValue)]

    /// nil: it is none.
    init?(_ bytes: [UInt8]) {
        guard let value = JSONValue(parsing: bytes), case .object(let members) = value, case .string = value["model"],
            case .object = value["messages_by_command"]
        else { return nil }
        self.members = members
    }

    var json: String { printable(JSONValue.object(members).text) + "\n" }

    var text: String { members.map { line($0.key, $0.value) }.joined() }

    private func line(_ key: String, _ value: JSONValue) -> String {
        let name = printable(String(key.map { $0 == "_" ? " " : $0 }))
        switch value {
        case .object(let members): return "\(name):\n" + members.map { "  \(printable($0.key)): \(plain($0.value))\n" }.joined()
        case .array(let values):
            return values.isEmpty ? "" : "\(name):\n" + values.map { "  \(plain($0))\n" }.joined()
        default: return "\(name): \(plain(value))\n"
        }
    }

    /// On one line.
    private func plain(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): printable(text)
        case .object(let members): members.map { "\(printable($0.key)) \(plain($0.value))" }.joined(separator: ", ")
        default: printable(value.text)
        }
    }

    private func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{fffd}" : $0 }))
    }
}
