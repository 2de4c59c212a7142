import ArgumentParser
import LinuxIO
import Reports
import VfioUser

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Show what a guest asks of a running `unic relay`, as it happens: a line for each request and fault.",
        discussion: """
            Listens at the third socket of the relay, DIRECTORY/unic-iommu.sock.trace; the relay keeps nothing while nobody does.
            Lines say when, what, the answer and how long it took. Requests that reached the host as one have the time of all. Who
            reads too slowly misses lines, and is told how many.

            Example: unic trace /tmp/unic-relay
                     unic trace /tmp/unic-relay --json --count 100
            """)

    @Argument(help: ArgumentHelp("The relay's directory, or its IOMMU's socket.", valueName: "directory"))
    var directory: String
    @Option(help: ArgumentHelp("End after so many lines.", valueName: "number"))
    var count: Int?
    @Flag(help: "Write the lines as they come: a JSON object each.")
    var json = false

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count takes 1 or more.") }
    }

    func run() throws {
        let stop = StopFlag()
        try ShutdownSignals.raise(stop)
        let lines: LineReader
        do { lines = try LineReader(beside: RelayPath.socket(directory)) } catch { throw Ending.failed("\(error)") }
        var left = count ?? .max
        while left > 0, !stop.isRaised {
            do {
                guard let line = try lines.next(timeoutMilliseconds: 100) else { continue }
                StandardStream.output.write(json ? printable(line) + "\n" : text(line))
                left -= 1
            } catch {
                throw Ending.failed("\(error)")
            }
        }
    }

    private func text(_ line: String) -> String {
        guard let value = JSONValue(parsing: Array(line.utf8)) else { return printable(line) + "\n" }
        return printable(TraceLine(value).text) + "\n"
    }

    private func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{fffd}" : $0 }))
    }
}

/// Where a relay is.
enum RelayPath {
    /// A directory's IOMMU socket, or the path itself.
    static func socket(_ path: String) -> String {
        let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard PathIdentity(of: trimmed)?.isSocket == false, (try? directoryEntryNames(trimmed)) != nil else { return path }
        return trimmed + "/unic-iommu.sock"
    }
}

/// A request or a fault as people read it.
struct TraceLine {
    private let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    var text: String {
        var words = [column(number("at_nanoseconds").map { decimal($0 / 1e9, places: 6) } ?? "", 12)]
        let kind = string("kind") ?? "?"
        words.append(kind + String(repeating: " ", count: max(0, 6 - kind.count)))
        switch kind {
        case "map": words.append("domain \(plain("domain")) \(plain("first"))-\(plain("last")) to \(plain("physical")) \(access)")
        case "unmap": words.append("domain \(plain("domain")) \(plain("first"))-\(plain("last"))")
        case "attach", "detach": words.append("endpoint \(plain("endpoint")) domain \(plain("domain"))")
        case "probe": words.append("endpoint \(plain("endpoint"))")
        case "fault": words.append("endpoint \(plain("endpoint")) \(plain("access")) of \(plain("address")): \(plain("reason"))")
        case "missed": words.append("\(plain("count")) lines")
        default: break
        }
        if let status = string("status") { words.append(status) }
        if let time = number("took_nanoseconds") { words.append(decimal(time / 1000, places: 1) + " us") }
        return words.joined(separator: " ")
    }

    private var access: String {
        guard let flags = number("flags").flatMap({ Int(exactly: $0) }) else { return "" }
        return ["none", "r", "w", "rw"][flags & 3]
    }

    private func number(_ key: String) -> Double? {
        switch value[key] {
        case .unsigned(let value): Double(value)
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    private func string(_ key: String) -> String? {
        if case .string(let text)? = value[key] { text } else { nil }
    }

    private func plain(_ key: String) -> String { string(key) ?? value[key]?.text ?? "?" }

    private func column(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
}
