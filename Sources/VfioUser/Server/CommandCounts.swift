/// How often each command came. One is counted for every message, so there is no dictionary, and nothing to copy on a write.
struct CommandCounts: Equatable {
    private var counts = InlineArray<32, UInt64>(repeating: 0)

    mutating func count(_ command: Command) { counts[Int(command.rawValue)] &+= 1 }

    private func of(_ command: Command) -> UInt64 { counts[Int(command.rawValue)] }

    var sum: UInt64 { Command.allCases.reduce(0) { $0 &+ of($1) } }

    var byCommand: [Command: UInt64] {
        Dictionary(uniqueKeysWithValues: Command.allCases.map { ($0, of($0)) }.filter { $0.1 > 0 })
    }

    static func == (left: CommandCounts, right: CommandCounts) -> Bool {
        Command.allCases.allSatisfy { left.of($0) == right.of($0) }
    }
}
