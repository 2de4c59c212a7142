import LinuxIO
import NicDriver
import Reports
import VfioUser

/// What a running `unic serve` tells of itself: what it was started with, and what it has done.
struct ServedStatus: Sendable {
    let model: String
    let macAddress: MACAddress
    let wire: String
    let socket: String
    let waiting: String
    let startedAt = MonotonicClock.nanoseconds()

    func document(_ statistics: ServerStatistics) -> [UInt8] { Array((object(statistics).text + "\n").utf8) }

    private func object(_ statistics: ServerStatistics) -> JSONValue {
        let now = MonotonicClock.nanoseconds()
        let commands = statistics.messagesByCommand.sorted { $0.key.rawValue < $1.key.rawValue }
        let faults = statistics.faults.last.map { fault in
            JSONValue.object([("seconds_ago", .number(seconds(from: fault.nanoseconds, to: now))), ("reason", .string(fault.reason))])
        }
        return .object([
            ("version", .string(unicVersion)), ("pid", .integer(Int(processIdentifier))), ("model", .string(model)),
            ("mac", .string("\(macAddress)")), ("wire", .string(wire)), ("socket", .string(socket)), ("waiting", .string(waiting)),
            ("uptime_seconds", .number(seconds(from: startedAt, to: now))), ("connected", .bool(statistics.isConnected)),
            ("connections", .unsigned(statistics.connections)), ("refused_connections", .unsigned(statistics.refusedConnections)),
            ("broken_connections", .unsigned(statistics.brokenConnections)), ("messages", .unsigned(statistics.messages)),
            ("messages_by_command", .object(commands.map { ($0.key.name, .unsigned($0.value)) })),
            ("unknown_messages", .unsigned(statistics.unknownMessages)), ("failed_commands", .unsigned(statistics.failedCommands)),
            ("resets", .unsigned(statistics.resets)), ("interrupts", .unsigned(statistics.interrupts)),
            ("maps", .integer(statistics.maps)), ("mapped_bytes", .unsigned(statistics.mappedByteCount)),
            ("mapped_files", .integer(statistics.mappedFiles)), ("faults", .unsigned(statistics.faults.count)),
            ("last_faults", .array(faults)),
        ])
    }

    private func seconds(from start: UInt64, to end: UInt64) -> Double { Double(end &- start) / 1e9 }
}
