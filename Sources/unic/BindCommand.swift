import ArgumentParser
import HostSetup
import LinuxIO
import Reports

struct BindCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bind",
        abstract: "Take NICs from the kernel's drivers, for use by unic. Root only.",
        discussion: """
            The driver that a NIC had is remembered in /run/unic until `unic unbind`. A NIC whose interface is up, carries the
            default route, or is not seen in this network namespace is left alone. If one NIC cannot be bound, none is.

            Examples:
              unic bind 0000:01:00.0
              unic bind 0000:01:10.0 0000:01:10.2 --owner alice
            """)

    @Argument(help: ArgumentHelp("PCI addresses, or vfio: URLs.", valueName: "address"))
    var devices: [DeviceArgument]
    @Option(help: ArgumentHelp("Give the devices' files in /dev/vfio to a user, so that they need no root.", valueName: "user"))
    var owner: String?
    @Option(help: ArgumentHelp("The VFIO driver to bind to.", valueName: "name"))
    var driver = "vfio-pci"
    @Flag(help: "Take a NIC that somebody may need, too.")
    var force = false
    @Flag(help: "Write one JSON object to standard output.")
    var json = false
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        _ = logging.start()
        var options = DriverBinding.Options()
        options.driver = driver
        options.force = force
        if let owner {
            guard let user = UserAccount.find(owner) else { throw Ending.failed("There is no user '\(owner)' here.") }
            options.owner = user
        }
        let outcomes: [DriverBinding.Outcome]
        do { outcomes = try DriverBinding().bind(devices.map(\.address), options) } catch { throw Ending.failed("\(error)") }
        let advice = BindAdvice.lines(outcomes, owner: options.owner, facts: HostFacts.read())
        if json {
            StandardStream.output.write(BindOutput.json(outcomes, advice: advice) + "\n")
        } else {
            StandardStream.output.write(BindOutput.text(outcomes))
            for line in advice { StandardStream.error.write("unic: \(line)\n") }
        }
    }
}

/// How `unic bind` and `unic unbind` tell what they did.
enum BindOutput {
    static func text(_ outcomes: [DriverBinding.Outcome]) -> String {
        outcomes.map { outcome in
            let now = outcome.driver ?? "no driver"
            guard outcome.changed else { return "\(outcome.address): bound to \(now) already\n" }
            let node = outcome.function?.groupNode.map { ", \($0.path)" } ?? ""
            return "\(outcome.address): \(outcome.driverBefore ?? "no driver") → \(now)\(node)\n"
        }.joined()
    }

    static func json(_ outcomes: [DriverBinding.Outcome], advice: [String]) -> String {
        let devices = outcomes.map { outcome in
            JSONValue.object([
                ("address", .string("\(outcome.address)")), ("driver_before", FunctionOutput.text(outcome.driverBefore)),
                ("driver", FunctionOutput.text(outcome.driver)), ("changed", .bool(outcome.changed)),
                ("device", outcome.function.map(FunctionOutput.json) ?? .null),
            ])
        }
        return JSONValue.object([("devices", .array(devices)), ("advice", .array(advice.map(JSONValue.string)))]).text
    }
}
