import ArgumentParser
import DeviceAccess
import Devices
import IOMMURelay
import LinuxIO
import RelayPlan

struct RelayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Give a guest an IOMMU, and functions behind it: then its VFIO exists.",
        discussion: """
            A QEMU guest without an IOMMU has no VFIO. The relay serves QEMU (10.1 or later, unmodified) a virtio-iommu
            function and the NICs behind it over vfio-user, and tells the guest of them by an ACPI VIOT table.

            Example: unic relay plan --device soft:lab --device soft:lab
                     unic relay run --device soft:lab --device soft:lab -- qemu-system-x86_64 -accel kvm disk.img
            """,
        subcommands: [RelayPlanCommand.self, RelayServeCommand.self, RelayRunCommand.self, RelayGuardCommand.self])
}

extension GuestIOMMU: ExpressibleByArgument {}

/// What every subcommand has to know.
struct RelayOptions: ParsableArguments {
    @Option(
        name: .customLong("device"),
        help: ArgumentHelp(
            "A function of the guest: soft:WIRE?nic=e1000e, vfio:ADDRESS of this machine, or vfio-user:PATH of another server. Give it once for each; they are called nic0, nic1, ...",
            valueName: "url"))
    var devices: [String] = []
    @Option(help: ArgumentHelp("For sockets and the table; made if it is missing.", valueName: "path"))
    var directory = "/tmp/unic-relay"
    @Option(help: ArgumentHelp("The guest's memory, MiB.", valueName: "mebibytes"))
    var memory = 1024
    @Option(help: ArgumentHelp("The first place on the guest's bus 0 that root ports take.", valueName: "number"))
    var firstPlace: UInt8 = 1
    @Option(
        help: ArgumentHelp(
            "Who plays the guest's IOMMU: the relay, or QEMU, which then says on each function's connection what the guest maps.",
            valueName: "\(GuestIOMMU.allCases.map(\.rawValue).joined(separator: "|"))"))
    var viommu = GuestIOMMU.relay
    @Option(
        help: ArgumentHelp(
            "IOMMU functions in the guest, 1 to 8; the functions, or groups of them, are dealt out in turn. Limits hold for each.",
            valueName: "number"))
    var iommus = 1
    @Flag(help: "Functions reach all of the guest's memory until its IOMMU driver comes: for firmware that boots from a NIC.")
    var bootBypass = false
    @Flag(help: "Never sleep: lowest latency of map requests, one core busy.")
    var busyPoll = false

    @Flag(help: "Answer an unmap before it is carried out, at most 10 ms or 256 mappings later: faster, and devices may still write.")
    var lazyUnmap = false
    @Option(help: ArgumentHelp("Look at so many requests of the guest in a second, not at more.", valueName: "number"))
    var requestRate: UInt64?
    @Option(help: ArgumentHelp("What the guest may have mapped at once.", valueName: "number"))
    var maxMappings: Int?
    @Option(help: ArgumentHelp("The same, in bytes: a host pins them.", valueName: "bytes"))
    var maxBytes: UInt64?

    func validate() throws {
        if viommu != .relay {
            for (isGiven, name) in [(bootBypass, "--boot-bypass"), (lazyUnmap, "--lazy-unmap"), (requestRate != nil, "--request-rate")]
            where isGiven {
                throw ValidationError("\(name) is for the relay's own IOMMU; with --viommu \(viommu.rawValue) that is QEMU's affair.")
            }
        }
        guard requestRate ?? 1 > 0 else { throw ValidationError("--request-rate takes 1 or more.") }
        guard (1...1 << 30).contains(maxMappings ?? 1) else { throw ValidationError("--max-mappings takes 1 to 1073741824.") }
        guard (4096...1 << 56).contains(maxBytes ?? 4096) else { throw ValidationError("--max-bytes takes 4096 to 2^56.") }
        guard !devices.isEmpty else { throw ValidationError("Name at least one function, for example --device soft:lab.") }
        guard (1...1 << 20).contains(memory) else { throw ValidationError("--memory takes 1 to 1048576 MiB.") }
        do { for text in devices { _ = try DeviceURL(text) } } catch { throw ValidationError("\(error)") }
    }

    /// The modes as options of `serve`.
    var modeWords: [String] {
        var words = lazyUnmap ? ["--lazy-unmap"] : []
        if viommu != .relay { words += ["--viommu", viommu.rawValue] }
        if let requestRate { words += ["--request-rate", "\(requestRate)"] }
        if let maxMappings { words += ["--max-mappings", "\(maxMappings)"] }
        if let maxBytes { words += ["--max-bytes", "\(maxBytes)"] }
        return words
    }

    /// Names and URLs, in the order that they were given in.
    var named: [(name: String, url: DeviceURL)] {
        get throws { try devices.enumerated().map { (name: "nic\($0.offset)", url: try DeviceURL($0.element)) } }
    }

    func plan() throws -> RelayPlan {
        let functions = try named.map { RelayFunction(name: $0.name, kind: try $0.url.relayedKind) }
        do {
            return try RelayPlan(
                functions: functions, hostGroups: HostGroup.readAll(),
                options: RelayPlan.Options(
                    directory: directory, memoryMebibytes: memory, firstPlace: firstPlace, viommu: viommu, iommuCount: iommus))
        } catch { throw Ending.failed("\(error)") }
    }

    func relay(_ plan: RelayPlan, told: @escaping (RelayNews) -> Void) throws -> Relay {
        var options = Relay.Options()
        options.told = told
        options.guardian = .ofThisProgram
        options.bypassesUnattached = bootBypass
        options.server.busyPoll = busyPoll
        options.requestsASecond = requestRate
        if let maxMappings { options.limits.mappings = maxMappings }
        if let maxBytes { options.limits.mappedBytes = maxBytes }
        if lazyUnmap {
            options.lazyUnmap = LazyUnmap()
            StandardStream.error.write(
                "unic: --lazy-unmap: for up to 10 ms after the guest has unmapped memory its devices can still read and write it.\n")
        }
        do {
            return try Relay(plan, devices: Dictionary(uniqueKeysWithValues: try named), options: options)
        } catch { throw Ending.failed("\(error)") }
    }
}

extension DeviceURL {
    fileprivate var relayedKind: RelayFunction.Kind {
        get throws {
            switch scheme {
            case .soft: return .model(parameters["nic"] ?? "e1000e")
            case .vfioUser: return .served(location)
            case .vfio:
                guard let address = PCIAddress(location) else { throw Ending.failed("'\(location)' is no PCI address.") }
                return .host(address)
            }
        }
    }
}

struct RelayPlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what the guest gets: places, groups before and after, and the arguments for QEMU; write the VIOT table.",
        discussion: "Example: unic relay plan --device soft:lab --device soft:lab?nic=virtio-net")

    @OptionGroup var options: RelayOptions
    @Flag(help: "Write one JSON object.")
    var json = false

    func run() throws {
        let plan = try options.plan()
        try plan.writeTable()
        StandardStream.output.write(json ? plan.json.text + "\n" : plan.text)
    }
}
