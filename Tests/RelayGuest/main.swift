import LinuxIO

// A relay to this machine's IOMMU, and a client that takes a guest's place. For the lab: Tests/LabTests/RelayHostTests.swift.
//
//     relay-guest relay iommufd|type1 DIRECTORY ADDRESS ADDRESS     serves DIRECTORY/iommu, nic0 and nic1 until it is killed
//     relay-guest client DIRECTORY                                  exit code 0 when all was as it has to be

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch (arguments.first, arguments.count) {
    case ("relay", 5): try HostRelay(arguments[1], directory: arguments[2], addresses: Array(arguments[3...])).serve()
    case ("client", 2): try GuestClient(directory: arguments[1]).run()
    default:
        print("usage: relay-guest relay iommufd|type1 DIRECTORY ADDRESS ADDRESS, or relay-guest client DIRECTORY")
        exitProcess(2)
    }
} catch {
    print("FAILED: \(error)")
    exitProcess(1)
}
