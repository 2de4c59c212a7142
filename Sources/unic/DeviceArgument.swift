import ArgumentParser
import DeviceAccess
import HostSetup

/// A PCI function on the command line: an address, or the URL that the other commands take.
struct DeviceArgument: ExpressibleByArgument {
    let address: PCIAddress

    init?(argument: String) {
        guard let address = PCIAddress(userText: argument) else { return nil }
        self.address = address
    }
}
