import LinuxIO

// A relay to this machine's IOMMU, and a client that takes a guest's place. For the lab: Tests/LabTests/RelayHostTests.swift.
//
//     relay-guest relay iommufd|type1 DIRECTORY ADDRESS ADDRESS     serves DIRECTORY/iommu, nic0 and nic1 until it is killed
//     relay-guest client DIRECTORY                                  exit code 0 when all was as it has to be
//     relay-guest connection DIRECTORY                              the same for `unic relay serve --viommu`
//     relay-guest program DIRECTORY                                 `client` for `unic relay serve`
//     relay-guest bereaved DIRECTORY PID LOG ADDRESS ADDRESS        kills the `unic relay serve` that is PID, with its log in LOG
//     relay-guest siblings DIRECTORY                                the same for two functions that share a group of the host

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch (arguments.first, arguments.count) {
    case ("relay", 5): try HostRelay(arguments[1], directory: arguments[2], addresses: Array(arguments[3...])).serve()
    case ("client", 2): try GuestClient(.ofHostRelay(arguments[1])).run()
    case ("connection", 2): try ConnectionClient(directory: arguments[1]).run()
    case ("program", 2): try GuestClient(.ofProgram(arguments[1])).run()
    case ("siblings", 2): try GuestClient(.ofHostRelay(arguments[1])).runSiblings()
    case ("bereaved", 6):
        guard let relay = Int32(arguments[2]) else { throw Failure("\(arguments[2]) is no process") }
        let client = try GuestClient(.ofProgram(arguments[1]))
        try BereavedGuest(client, relay: relay, log: arguments[3], addresses: Array(arguments[4...])).runToTheEnd()
    default:
        print(
            "usage: relay-guest relay iommufd|type1 DIRECTORY ADDRESS ADDRESS, relay-guest client|program|connection|siblings DIRECTORY, "
                + "or relay-guest bereaved DIRECTORY PID LOG ADDRESS ADDRESS")
        exitProcess(2)
    }
} catch {
    print("FAILED: \(error)")
    exitProcess(1)
}
