import ArgumentParser
import LinuxIO
import Reports

struct HugepagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hugepages",
        abstract: "Show the hugepages of this machine, or give back what unic has reserved.",
        discussion: "Example: unic hugepages --restore")

    @Flag(help: "Lower the pools that unic raised and did not lower again, for example because it was killed.")
    var restore = false
    @Flag(help: "Write one JSON object to standard output.")
    var json = false
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        _ = logging.start()
        throw Ending.failed("hugepages are not part of this build.")
    }
}
