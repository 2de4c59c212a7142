import ArgumentParser
import LinuxIO

@main
struct Unic: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unic",
        abstract: "A NIC driver in userspace: on a model, on a vfio-user server, or on hardware through VFIO.",
        discussion: """
            Devices are named by URL in every command:
              soft:WIRE                 a NIC model in this process on a shared-memory wire; no privilege needed
                                        (or soft:tap:INTERFACE, soft:udp:LOCAL:PORT,PEER:PORT)
              vfio-user:/path           a NIC served by another process, for example `unic serve`
              vfio:0000:01:00.0         a PCI function bound to vfio-pci; ?iommu=type1|iommufd|noiommu to insist

            Example: unic pingpong
            """,
        version: unicVersion,
        subcommands: [
            PingPongCommand.self, GenerateCommand.self, CountCommand.self, ForwardCommand.self, EchoCommand.self, TopCommand.self,
            ServeCommand.self, RelayCommand.self, StatusCommand.self, TraceCommand.self, ListCommand.self, BindCommand.self,
            UnbindCommand.self, DoctorCommand.self, HugepagesCommand.self, MpirunArgsCommand.self, EnvCommand.self,
        ])
}

/// The version of the package.
let unicVersion = "0.1.0"
