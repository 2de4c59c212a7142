import ArgumentParser
import LinuxIO
import Logging

/// Options of every command.
struct LoggingOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Say on standard error what happens; twice for more.")
    var verbose: Int

    /// Sends logs to standard error from now on.
    func start() -> Logger {
        let level: Logger.Level = verbose == 0 ? .warning : verbose == 1 ? .info : .debug
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        return Logger(label: "unic")
    }
}

/// How a command ends.
enum Ending {
    /// Tells why, and ends with code 1.
    static func failed(_ reason: String) -> ExitCode {
        StandardStream.error.write("unic: \(reason)\n")
        return ExitCode(1)
    }

    /// The code for an end by a signal, as shells give it: 130 for SIGINT.
    static func interrupted(_ stop: StopFlag) -> ExitCode {
        StandardStream.error.write("unic: interrupted; these are the results until then.\n")
        return ExitCode(128 + (stop.signal == 0 ? 2 : stop.signal))
    }
}
