import ArgumentParser
import LinuxIO
import NicDriver

/// What a command does when the server of its device is gone.
struct ReconnectOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A vfio-user: device whose server is gone may come back for so long; 0 ends at once.", valueName: "seconds"))
    var reconnect = 5.0

    func validate() throws {
        guard reconnect >= 0, reconnect <= 86_400 else { throw ValidationError("--reconnect takes 0 to 86400 seconds.") }
    }

    /// Nothing of this is for runs without such a device: a silent peer there has gone.
    func recovery(for urls: [String]) -> Recovery { urls.contains { $0.hasPrefix("vfio-user:") } ? recovery : .off }

    var recovery: Recovery {
        Recovery(milliseconds: UInt64(reconnect * 1000)) { StandardStream.error.write("unic: \($0)\n") }
    }
}
