// swift-tools-version: 6.2
import PackageDescription

/// One list for every target: unsafe code must say so, and a warning stops the build.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

func module(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: settings)
}

func tests(_ module: String, _ more: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(module)Tests", dependencies: [.init(stringLiteral: module)] + more, path: "Tests/\(module)Tests",
        exclude: exclude, swiftSettings: settings)
}

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "swift-unic",
    products: [
        .library(name: "NicDriver", targets: ["NicDriver"]),
        .library(name: "VfioUser", targets: ["VfioUser"]),
        .library(name: "MPIBridge", targets: ["MPIBridge"]),
        .library(name: "Devices", targets: ["Devices"]),
        // For models of devices, and for those who serve them (VfioUser).
        .library(name: "DeviceModel", targets: ["DeviceModel"]),
        .library(name: "DeviceMemory", targets: ["DeviceMemory"]),
        .library(name: "LinuxIO", targets: ["LinuxIO"]),
        .executable(name: "unic", targets: ["unic"]),
        // libunic-fi.so, which libfabric loads (FI_PROVIDER_PATH).
        .library(name: "unic-fi", type: .dynamic, targets: ["FabricProviderEntry"]),
        // libunic-verbs.so, which stands in front of libibverbs (LD_PRELOAD, or linked first).
        .library(name: "unic-verbs", type: .dynamic, targets: ["VerbsLibrary"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .systemLibrary(name: "CLinuxShims", path: "Sources/CLinuxShims"),
        .systemLibrary(name: "CHugetlbfs", path: "Sources/CHugetlbfs"),
        module("LinuxIO", ["CLinuxShims", system]),
        module("DeviceMemory", ["CLinuxShims", "CHugetlbfs", "LinuxIO"]),
        module("DeviceAccess", ["CLinuxShims", "LinuxIO", "DeviceMemory"]),
        module("NicRegisters"),
        module("NicDriver", ["LinuxIO", "DeviceMemory", "DeviceAccess", "NicRegisters"]),
        module("MPIBridge", ["DeviceMemory", "NicDriver"]),
        // Examples alone use an MPI; the library that counts its calls is C and built by Scripts/build-mpi.
        .systemLibrary(name: "CMPI", path: "Sources/CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
        .systemLibrary(name: "CLibfabric", path: "Sources/CLibfabric"),
        module("FabricProvider", ["CLibfabric", "LinuxIO", "DeviceAccess", "NicDriver", "MPIBridge", "Devices"]),
        // The shared library: Swift's runtime is inside, and one symbol is visible.
        .target(
            name: "FabricProviderEntry", dependencies: ["CLibfabric", "FabricProvider"], path: "Sources/FabricProviderEntry",
            exclude: ["exports.map"], swiftSettings: settings,
            linkerSettings: [
                .unsafeFlags([
                    "-static-stdlib", "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/FabricProviderEntry/exports.map",
                    "-Xlinker", "-z", "-Xlinker", "defs",
                ]),
                .unsafeFlags(["-Xlinker", "--strip-all"], .when(configuration: .release)),
            ]),
        .systemLibrary(name: "CVerbs", path: "Sources/CVerbs"),
        module("VerbsProvider", ["CVerbs", "LinuxIO", "DeviceMemory", "NicDriver", "MPIBridge", "Devices"]),
        // The shared library: Swift's runtime is inside, and the verbs are visible.
        .target(
            name: "VerbsLibrary", dependencies: ["VerbsProvider"], path: "Sources/VerbsLibrary", exclude: ["exports.map"],
            swiftSettings: settings,
            linkerSettings: [
                .unsafeFlags([
                    "-static-stdlib", "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/VerbsLibrary/exports.map",
                    "-Xlinker", "-z", "-Xlinker", "defs",
                ]),
                .unsafeFlags(["-Xlinker", "--strip-all"], .when(configuration: .release)),
            ]),
        module("DeviceModel", ["LinuxIO", "DeviceMemory"]),
        module("SoftDevice", ["LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel"]),
        module("VirtioModel", ["LinuxIO", "DeviceMemory", "DeviceModel", "NicRegisters"]),
        module("NicModels", ["LinuxIO", "DeviceMemory", "DeviceModel", "NicRegisters", "VirtioModel"]),
        module("VfioUser", ["CLinuxShims", "LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel", system]),
        module("IOMMURelay", ["LinuxIO", "DeviceMemory", "DeviceModel", "NicRegisters", "VirtioModel"]),
        module("HostBack", ["LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel", "IOMMURelay"]),
        module(
            "Devices",
            [
                "LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel", "NicDriver", "SoftDevice", "NicModels", "VfioUser", "IOMMURelay",
                "RelayPlan", "Reports", "HostBack",
            ]),
        module("HostSetup", ["LinuxIO", "DeviceMemory", "DeviceAccess", system]),
        module("LabKit", ["LinuxIO", system]),
        module("PingPong", path: "Sources/examples/PingPong", ["LinuxIO", "DeviceMemory", "NicDriver", histogram]),
        module("Echo", path: "Sources/examples/Echo", ["LinuxIO", "DeviceMemory", "NicDriver"]),
        module("Traffic", path: "Sources/examples/Traffic", ["LinuxIO", "DeviceMemory", "NicDriver"]),
        module("CopyEngine", path: "Sources/examples/CopyEngine", ["LinuxIO", "DeviceMemory", "DeviceModel"]),
        module("MPIExamples", path: "Sources/examples/MPI", ["CMPI"]),
        .executableTarget(
            name: "mpi-pingpong", dependencies: ["MPIExamples", "LinuxIO", "Reports", arguments], path: "Sources/examples/mpi-pingpong",
            swiftSettings: settings),
        .executableTarget(
            name: "mpi-allreduce", dependencies: ["MPIExamples", "LinuxIO", "Reports", arguments],
            path: "Sources/examples/mpi-allreduce", swiftSettings: settings),
        module("Reports"),
        module("RelayPlan", ["LinuxIO", "DeviceAccess", "Reports"]),
        module("DriverSuite", ["LinuxIO", "DeviceMemory", "DeviceAccess", "NicDriver", "Devices"]),
        program("driver-suite", ["DriverSuite", "LinuxIO"]),
        program("copy-engine", ["CopyEngine", "DeviceModel", "LinuxIO", "VfioUser"]),
        program("hugepage-check", ["DeviceMemory", "LinuxIO", system]),
        .executableTarget(
            name: "hot-path",
            dependencies: ["DeviceAccess", "DeviceMemory", "DeviceModel", "Devices", "NicDriver", "NicModels", "SoftDevice"],
            path: "Benchmarks/hot-path", swiftSettings: settings),
        .executableTarget(
            name: "dma-path", dependencies: ["CLinuxShims", "DeviceMemory", "DeviceModel", "LinuxIO", "NicModels", "VfioUser"],
            path: "Benchmarks/dma-path", swiftSettings: settings),
        .executableTarget(
            name: "message-path", dependencies: ["DeviceMemory", "Devices", "LinuxIO", "MPIBridge", "NicDriver"],
            path: "Benchmarks/message-path", swiftSettings: settings),
        .executableTarget(
            name: "vfio-map", dependencies: ["DeviceAccess", "DeviceMemory", "LinuxIO"], path: "Benchmarks/vfio-map",
            swiftSettings: settings),
        .executableTarget(
            name: "relay-core",
            dependencies: ["DeviceMemory", "DeviceModel", "IOMMURelay", "LinuxIO", "NicRegisters", "VirtioModel"],
            path: "Benchmarks/relay-core", swiftSettings: settings),
        .executableTarget(name: "udp-pingpong", dependencies: ["LinuxIO"], path: "Benchmarks/udp-pingpong", swiftSettings: settings),
        program(
            "unic",
            [
                "Devices", "HostSetup", "PingPong", "Echo", "Traffic", "Reports", "LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel",
                "NicDriver", "NicModels", "VfioUser", "IOMMURelay", "RelayPlan",
                arguments,
                histogram, logging,
            ]),
        .executableTarget(
            name: "wire-peer", dependencies: ["LinuxIO", "DeviceMemory", "NicModels"], path: "Tests/WirePeer", swiftSettings: settings),
        .executableTarget(
            name: "relay-guest",
            dependencies: [
                "LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel", "NicDriver", "NicRegisters", "VfioUser", "IOMMURelay",
                "HostBack",
            ],
            path: "Tests/RelayGuest", swiftSettings: settings),
        .target(
            name: "TransportSimulation", dependencies: ["MPIBridge", "NicDriver", "DeviceMemory", "LinuxIO"],
            path: "Tests/TransportSimulation", swiftSettings: settings),
        .executableTarget(
            name: "transport-simulation", dependencies: ["TransportSimulation", "LinuxIO"], path: "Tests/TransportSimulationProgram",
            swiftSettings: settings),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "VfioUser", "NicModels", "IOMMURelay", "DeviceModel", "DeviceMemory", "DeviceAccess", "LinuxIO", "Reports",
                "TransportSimulation",
            ],
            path: "Tests/FuzzTargets", swiftSettings: settings),
        .testTarget(
            name: "FuzzTests", dependencies: ["FuzzTargets"], path: "Tests/FuzzTests", exclude: ["Corpus"], swiftSettings: settings),
        tests("LinuxIO", [system]),
        tests("DeviceMemory", ["LinuxIO", "hugepage-check", system]),
        tests("DeviceAccess", ["LinuxIO", "DeviceMemory"]),
        tests("NicRegisters"),
        tests("NicDriver", ["LinuxIO", "DeviceMemory", "DeviceAccess", "Devices", "NicRegisters"]),
        tests("NicModels", ["LinuxIO", "DeviceMemory", "DeviceModel", "NicRegisters", "VirtioModel", "wire-peer"]),
        tests("SoftDevice", ["LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel"]),
        tests("VfioUser", ["CLinuxShims", "LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel"]),
        tests(
            "IOMMURelay", ["LinuxIO", "DeviceMemory", "DeviceModel", "NicRegisters", "VirtioModel", "NicModels"], exclude: ["Traces"]),
        tests("HostBack", ["LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel", "IOMMURelay", "VfioUser", "unic"]),
        tests("RelayPlan", ["LinuxIO", "DeviceAccess", "Reports"]),
        tests("Devices", ["DriverSuite", "DeviceMemory", "IOMMURelay", "LinuxIO"]),
        tests("HostSetup", ["LinuxIO", "DeviceMemory", "DeviceAccess"]),
        tests("PingPong", ["LinuxIO", "DeviceMemory", "DeviceAccess", "NicDriver"]),
        tests("Echo", ["LinuxIO", "DeviceMemory", "NicDriver"]),
        tests("Traffic", ["LinuxIO", "DeviceMemory", "NicDriver", "Devices"]),
        tests("FabricProvider", ["CLibfabric", "Devices", "MPIBridge", "NicDriver"]),
        tests("Reports"),
        tests("CopyEngine", ["LinuxIO", "DeviceMemory", "DeviceAccess", "DeviceModel", "VfioUser"]),
        tests("DeviceModel"),
        tests("VerbsProvider", ["CVerbs", "LinuxIO", "DeviceMemory", "NicDriver", "MPIBridge", "Devices"]),
        tests("MPIBridge", ["TransportSimulation", "Devices", "NicDriver", "DeviceMemory", "LinuxIO"]),
        .testTarget(
            name: "CommandTests", dependencies: ["unic", "relay-guest", "LinuxIO"], path: "Tests/CommandTests", swiftSettings: settings),
        .testTarget(name: "ArchitectureTests", dependencies: ["LinuxIO"], path: "Tests/ArchitectureTests", swiftSettings: settings),
        .testTarget(
            name: "LabTests", dependencies: ["LabKit", "LinuxIO", "RelayPlan", "DeviceAccess", "Devices", "IOMMURelay", "VfioUser"],
            path: "Tests/LabTests", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
