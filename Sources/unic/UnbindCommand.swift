import ArgumentParser
import HostSetup
import LinuxIO

struct UnbindCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unbind",
        abstract: "Give NICs back to the drivers that they had before `unic bind`. Root only.",
        discussion: """
            A NIC that somebody else bound goes to the driver that the kernel chooses for it.

            Example: unic unbind 0000:01:00.0
            """)

    @Argument(help: ArgumentHelp("PCI addresses, or vfio: URLs.", valueName: "address"))
    var devices: [DeviceArgument]
    @Flag(help: "Take a NIC from a program that uses it: waits until that has let it go.")
    var force = false
    @Flag(help: "Write one JSON object to standard output.")
    var json = false
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        _ = logging.start()
        let outcomes: [DriverBinding.Outcome]
        do { outcomes = try DriverBinding().unbind(devices.map(\.address), force: force) } catch { throw Ending.failed("\(error)") }
        StandardStream.output.write(json ? BindOutput.json(outcomes, advice: []) + "\n" : BindOutput.text(outcomes))
    }
}
