import Foundation
import Testing

/// Arrows point one way. This list is the design; a new arrow is a decision, made here and in docs/decisions.
private let allowed: [String: Set<String>] = [
    "CLinuxShims": [],
    "CHugetlbfs": [],
    "LinuxIO": ["CLinuxShims"],
    "DeviceMemory": ["CLinuxShims", "CHugetlbfs", "LinuxIO"],
    "DeviceAccess": ["CLinuxShims", "LinuxIO", "DeviceMemory"],
    "NicRegisters": [],
    "NicDriver": ["LinuxIO", "DeviceMemory", "DeviceAccess", "NicRegisters"],
    "MPIBridge": ["DeviceMemory", "NicDriver"],
    "CVerbs": [],
    "VerbsProvider": ["CVerbs", "LinuxIO", "DeviceMemory", "NicDriver", "MPIBridge", "Devices"],
    // The shared library: nothing but what it exports.
    "VerbsLibrary": ["VerbsProvider"],
    "CLibfabric": [],
    // What libfabric loads: it opens devices by URL, and knows no backend.
    "FabricProvider": ["CLibfabric", "LinuxIO", "DeviceAccess", "NicDriver", "MPIBridge", "Devices"],
    "FabricProviderEntry": ["CLibfabric", "FabricProvider"],
    "DeviceModel": ["LinuxIO", "DeviceMemory"],
    "SoftDevice": ["LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel"],
    "VirtioModel": ["LinuxIO", "DeviceMemory", "DeviceModel", "NicRegisters"],
    "NicModels": ["LinuxIO", "DeviceMemory", "DeviceModel", "NicRegisters", "VirtioModel"],
    "VfioUser": ["CLinuxShims", "LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel"],
    "Devices": [
        "LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel", "NicDriver", "SoftDevice", "NicModels", "VfioUser", "IOMMURelay",
        "RelayPlan", "Reports", "HostBack",
    ],
    "IOMMURelay": ["LinuxIO", "DeviceMemory", "DeviceModel", "NicRegisters", "VirtioModel"],
    // Where a relay meets the host: the only library that knows both.
    "HostBack": ["LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel", "IOMMURelay"],
    "RelayPlan": ["LinuxIO", "DeviceAccess", "Reports"],
    "HostSetup": ["LinuxIO", "DeviceMemory", "DeviceAccess"],
    "LabKit": ["LinuxIO"],
    "Reports": [],
    "PingPong": ["LinuxIO", "DeviceMemory", "NicDriver"],
    "Traffic": ["LinuxIO", "DeviceMemory", "NicDriver"],
    "CMPI": [],
    "MPIExamples": ["CMPI"],
    "Echo": ["LinuxIO", "DeviceMemory", "NicDriver"],
    "CopyEngine": ["LinuxIO", "DeviceMemory", "DeviceModel"],
    "TransportSimulation": ["LinuxIO", "DeviceMemory", "NicDriver", "MPIBridge"],
    "FuzzTargets": [
        "LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel", "NicModels", "IOMMURelay", "VfioUser", "Reports", "TransportSimulation",
    ],
    "DriverSuite": ["LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel", "NicDriver", "NicModels", "Devices"],
]

/// Products of other packages: what LinuxIO's errors are made of, and one histogram.
private let products: [String: Set<String>] = [
    "LinuxIO": ["SystemPackage"], "DeviceMemory": ["SystemPackage"], "DeviceAccess": ["SystemPackage"], "VfioUser": ["SystemPackage"],
    "HostSetup": ["SystemPackage"], "LabKit": ["SystemPackage"],
    "PingPong": ["Histogram"],
]

/// What comes with the toolchain. Foundation does not: it makes a static binary nine times as large.
private let toolchain: Set<String> = ["Swift", "Glibc", "Synchronization"]

@Suite struct ArrowTests {
    @Test func everyArrowIsADecision() throws {
        let package = try PackageDescription.load()
        let programs = Set(package.targets.filter { $0.type == "executable" }.map(\.name))
        let libraries = package.targets.filter { ["regular", "system"].contains($0.type) }
        #expect(libraries.count >= 10, "the package's description was not understood")
        for target in libraries {
            guard let arrows = allowed[target.name] else {
                Issue.record("\(target.name) is in no list: name its arrows")
                continue
            }
            let targets = arrows.union(products[target.name] ?? [])
            for name in target.dependencyNames where !targets.contains(name) {
                Issue.record("\(target.name) → \(name) is not in the design")
            }
            #expect(programs.isDisjoint(with: target.dependencyNames), "\(target.name) depends on a program")
        }
    }

    @Test func sourcesImportOnlyWhatTheirTargetDeclares() throws {
        let package = try PackageDescription.load()
        for target in package.targets where ["regular", "executable"].contains(target.type) {
            let declared = Set(target.dependencyNames).union(toolchain).union([target.name])
            // LinuxIO's errors carry an Errno: whoever depends on it may name SystemPackage.
            let known = target.dependencyNames.contains("LinuxIO") ? declared.union(["SystemPackage"]) : declared
            for (module, file) in try PackageDescription.imports(in: target.folder) where !known.contains(module) {
                Issue.record("\(file) imports \(module), which \(target.name) does not declare")
            }
        }
    }

    @Test func onlyTheDevicesModuleAndProgramsKnowEveryBackend() throws {
        let backends: Set = ["SoftDevice", "VfioUser"]
        // Fuzz targets are for the protocol of one of them.
        for target in try PackageDescription.load().targets
        where target.type == "regular" && !["Devices", "FuzzTargets"].contains(target.name) {
            #expect(backends.isDisjoint(with: target.dependencyNames), "\(target.name) knows a backend")
        }
    }

    @Test(
        arguments: [
            ("import A", "A"), ("public import A", "A"), ("@testable import A", "A"), ("import struct A.B", "A"),
            ("@preconcurrency public import A", "A"), ("// import A", nil), ("important A", nil), ("    import A", "A"),
        ] as [(String, String?)])
    func importLinesAreRead(line: String, module: String?) { #expect(PackageDescription.importedModule(line) == module) }
}
