import Glibc
import LinuxIO

/// What came back from a guest. Its files are on this machine until the value goes.
public final class GuestRun: Sendable {
    public enum Ending: Equatable, Sendable {
        /// The script ended with this code.
        case exited(Int)
        /// The guest was killed at its time limit.
        case timeLimit
        /// The guest ended before the script did: a panic, a power-off, QEMU killed.
        case died
    }

    public let ending: Ending
    /// The script's standard output.
    public let output: String
    /// The script's standard error; behind it, when the script did not end by itself, the end of the guest's console.
    public let errorOutput: String
    /// What the script left in /lab/results, and the lab's own stdout, stderr, outcome and serial.log.
    public let resultsDirectory: String

    init(outcome: String?, resultsDirectory: String, output: String, errorOutput: String) throws(LabError) {
        let words = (outcome ?? "").split(whereSeparator: \.isWhitespace)
        switch words.first {
        case "exited": ending = .exited(words.dropFirst().first.flatMap { Int($0) } ?? 255)
        case "time-limit": ending = .timeLimit
        case "died": ending = .died
        case "lacking": throw .lacking(words.dropFirst().joined(separator: " "))
        default: throw .lacking("no outcome came back from the lab. It said: \(errorOutput)")
        }
        self.resultsDirectory = resultsDirectory
        self.output = output
        self.errorOutput = errorOutput
    }

    deinit { Guest.remove(resultsDirectory: resultsDirectory) }

    /// A file that the script left in /lab/results, at most 1 MiB.
    public func file(_ name: String) throws(SystemCallError) -> String { try readSmallFile("\(resultsDirectory)/\(name)") }
}

/// Why no guest could be run, and what to do.
public enum LabError: Error, Equatable, CustomStringConvertible {
    case lacking(String)

    public var description: String {
        switch self {
        case .lacking(let reason): "The lab cannot run a guest: \(reason)"
        }
    }
}
