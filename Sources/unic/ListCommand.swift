import ArgumentParser
import DeviceAccess
import HostSetup
import LinuxIO
import Reports

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the PCI NICs of this machine: driver, IOMMU group, VFIO, link, and the URL to use.",
        discussion: """
            Interfaces are those of this network namespace. Who has a device open is seen by root, and by its own user.

            Example: unic list
            """)

    @Flag(help: "Every PCI function, not only network controllers.")
    var all = false
    @Flag(help: "Write one JSON object to standard output.")
    var json = false
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        _ = logging.start()
        let facts = HostFacts.read()
        let functions = all ? facts.functions : facts.networkControllers
        if json {
            StandardStream.output.write(JSONValue.object([("devices", .array(functions.map(FunctionOutput.json)))]).text + "\n")
            return
        }
        let nothing =
            all ? "There is no PCI function here.\n" : "There is no PCI network controller here. soft: and vfio-user: work all the same.\n"
        StandardStream.output.write(functions.isEmpty ? nothing : functions.map(FunctionOutput.text).joined(separator: "\n"))
    }
}

/// How `unic list` and its neighbours show a function.
enum FunctionOutput {
    static func text(_ function: PCIFunction) -> String {
        var lines = [
            "\(function.address)  \(function.identity)  \(function.family?.name ?? (function.isNetworkController ? "a NIC that unic does not know" : "class \(hexadecimal(function.classCode))"))"
        ]
        func add(_ name: String, _ text: String) {
            lines.append("    \(name)\(String(repeating: " ", count: max(1, 9 - name.count)))\(text)")
        }
        add("driver", ([function.driver ?? "none"] + interfaces(function)).joined(separator: "; "))
        add("group", group(function))
        add("vfio", vfio(function))
        if let node = function.numaNode { add("node", "\(node)") }
        if let sriov = function.sriov {
            add(
                "sr-iov",
                sriov.physicalFunction.map { "a virtual function of \($0)" }
                    ?? "\(sriov.virtualFunctionCount) of \(sriov.maximumVirtualFunctionCount) virtual functions")
        }
        if let url = function.url { add("url", url) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func interfaces(_ function: PCIFunction) -> [String] {
        if function.interfaceMayBeElsewhere { return ["no interface in this network namespace"] }
        return function.interfaces.map { interface in
            "\(interface.name) is \(interface.isUp ? "up" : "down"), link \(interface.operationalState)"
                + (interface.carriesDefaultRoute ? ", with the default route" : "")
        }
    }

    private static func group(_ function: PCIFunction) -> String {
        guard let group = function.group else { return "none" }
        let others = group.others.map { "\($0.address) (\($0.driver ?? "no driver"))" }
        return
            "\(group.number), \(others.isEmpty ? "alone" : "with \(others.joined(separator: ", "))")\(group.isNoIOMMU ? ", without an IOMMU" : "")"
    }

    private static func vfio(_ function: PCIFunction) -> String {
        guard function.isBoundToVFIO else { return function.isNetworkController ? "not bound: unic bind \(function.address)" : "not bound" }
        let nodes = [function.groupNode, function.deviceNode].compactMap { $0 }.map { node in
            let holders = node.holders.isEmpty ? "" : ", open by \(node.holders.joined(separator: ", "))"
            return
                "\(node.path) of \(UserAccount.find("\(node.owner)")?.name ?? "\(node.owner)"), mode \(String(node.permissions, radix: 8))\(holders)"
        }
        return nodes.isEmpty ? "bound, without a file in /dev/vfio" : "bound; \(nodes.joined(separator: "; "))"
    }

    private static func hexadecimal(_ code: UInt32) -> String {
        let digits = String(code, radix: 16)
        return "0x" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    static func json(_ function: PCIFunction) -> JSONValue {
        .object([
            ("address", .string("\(function.address)")), ("id", .string(function.identity)),
            ("class", .string(hexadecimal(function.classCode))),
            ("name", text(function.family?.name)), ("driver", text(function.driver)),
            ("interfaces", .array(function.interfaces.map(json))), ("interface_elsewhere", .bool(function.interfaceMayBeElsewhere)),
            ("group", function.group.map(json) ?? .null),
            (
                "vfio",
                .object([
                    ("bound", .bool(function.isBoundToVFIO)), ("group_node", function.groupNode.map(json) ?? .null),
                    ("device_node", function.deviceNode.map(json) ?? .null),
                ])
            ),
            ("numa_node", function.numaNode.map(JSONValue.integer) ?? .null), ("sriov", function.sriov.map(json) ?? .null),
            ("url", text(function.url)),
        ])
    }

    static func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }

    private static func json(_ interface: PCIFunction.Interface) -> JSONValue {
        .object([
            ("name", .string(interface.name)), ("up", .bool(interface.isUp)), ("link", .string(interface.operationalState)),
            ("default_route", .bool(interface.carriesDefaultRoute)),
        ])
    }

    private static func json(_ group: PCIFunction.Group) -> JSONValue {
        let others = group.others.map { member in
            JSONValue.object([
                ("address", .string(member.address)), ("driver", text(member.driver)), ("holds_group", .bool(member.holdsGroup)),
            ])
        }
        return .object([("number", .string(group.number)), ("no_iommu", .bool(group.isNoIOMMU)), ("others", .array(others))])
    }

    private static func json(_ node: PCIFunction.Node) -> JSONValue {
        .object([
            ("path", .string(node.path)), ("owner", .integer(Int(node.owner))), ("mode", .string(String(node.permissions, radix: 8))),
            ("open_to_caller", .bool(node.isOpenToCaller)), ("holders", .array(node.holders.map(JSONValue.string))),
        ])
    }

    private static func json(_ sriov: PCIFunction.SRIOV) -> JSONValue {
        .object([
            ("physical_function", text(sriov.physicalFunction)), ("vfs", .integer(sriov.virtualFunctionCount)),
            ("max_vfs", .integer(sriov.maximumVirtualFunctionCount)),
        ])
    }
}
