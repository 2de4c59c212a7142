import ArgumentParser
import Devices
import LinuxIO

/// Not for people: the relay starts it.
struct RelayGuardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard",
        abstract: "Quiet the host's functions when the relay that started this is gone.",
        discussion: "Started by `unic relay serve`, which is its standard input. Example: none, it is of no use by hand.",
        shouldDisplay: false)

    func run() throws {
        let code = RelayGuardian.run { StandardStream.error.write("unic: guardian: \($0)\n") }
        if code != 0 { throw ExitCode(code) }
    }
}

extension RelayGuardian {
    /// This program as the guardian; its loss is told on standard error.
    static var ofThisProgram: RelayGuardian {
        RelayGuardian(program: "/proc/self/exe", arguments: ["relay", "guard"]) { StandardStream.error.write("unic: \($0)\n") }
    }
}
