import ArgumentParser
import HostSetup
import LinuxIO
import Reports

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check whether unic can use a real NIC here, and say what to do if not.",
        discussion: """
            Looks at IOMMU, interrupt remapping, VFIO, permissions and limits of the calling user, hugepages, and each NIC.
            Nothing is changed. A line that begins with `fix:` is a command for root's shell; after it the finding is gone.
            Ends with code 0 if a real NIC can be used now by this user, with 1 if not.

            Examples:
              unic doctor
              unic doctor --device 0000:01:00.0 --json
            """)

    @Option(help: ArgumentHelp("Look at this NIC only.", valueName: "address"))
    var device: DeviceArgument?
    @Flag(help: "Write one JSON object to standard output.")
    var json = false
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        _ = logging.start()
        let diagnosis = Diagnosis(HostFacts.read(), device: device?.address)
        StandardStream.output.write(json ? object(diagnosis).text + "\n" : text(diagnosis))
        if !diagnosis.works { throw ExitCode(1) }
    }

    private func text(_ diagnosis: Diagnosis) -> String {
        var text = ""
        for finding in diagnosis.findings {
            let mark =
                switch finding.state {
                case .ok: "ok     "
                case .problem: "PROBLEM"
                case .note: "note   "
                }
            text += "\(mark) \(finding.check.rawValue): \(finding.text)\n"
            if let fix = finding.fix { text += "        fix: \(fix)\n" }
            if let advice = finding.advice { text += "        \(advice)\n" }
        }
        return text + diagnosis.verdict + "\n"
    }

    private func object(_ diagnosis: Diagnosis) -> JSONValue {
        let findings = diagnosis.findings.map { finding in
            JSONValue.object([
                ("check", .string(finding.check.rawValue)), ("device", FunctionOutput.text(finding.device)),
                ("state", .string(finding.state.rawValue)), ("text", .string(finding.text)), ("fix", FunctionOutput.text(finding.fix)),
                ("advice", FunctionOutput.text(finding.advice)),
            ])
        }
        let devices = diagnosis.outlooks.map { outlook in
            let ways = outlook.ways.map { way in
                JSONValue.object([
                    ("backend", .string(way.backend.rawValue)), ("works", .bool(way.obstacle == nil)),
                    ("obstacle", FunctionOutput.text(way.obstacle)),
                ])
            }
            return JSONValue.object([
                ("address", .string("\(outlook.function.address)")), ("url", FunctionOutput.text(outlook.function.url)),
                ("backends", .array(ways)),
            ])
        }
        return .object([
            ("version", .string(unicVersion)), ("works", .bool(diagnosis.works)), ("verdict", .string(diagnosis.verdict)),
            ("findings", .array(findings)), ("devices", .array(devices)),
        ])
    }
}
