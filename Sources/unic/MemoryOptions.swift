import ArgumentParser
import DeviceAccess
import DeviceMemory
import LinuxIO
import Logging
import NicDriver
import Synchronization

/// Which pages packets lie in.
struct MemoryOptions: ParsableArguments {
    enum Pages: String, ExpressibleByArgument, CaseIterable { case auto, huge, ordinary }

    @Option(help: "Packet memory: auto takes hugepages where there are some (soft: needs none), huge insists, ordinary leaves them alone.")
    var pages = Pages.auto

    var preference: PortOptions.MemoryPreference {
        switch pages {
        case .auto: .hugepagesIfThere
        case .huge: .hugepagesOnly
        case .ordinary: .ordinaryPages
        }
    }
}

/// Which of VFIO's interfaces may serve a device.
struct BackendOptions: ParsableArguments {
    @Flag(help: "Use a vfio: device that no IOMMU serves, too: it can then reach all of this machine's memory.")
    var allowNoiommu = false
}

extension Logger {
    /// Tells by which of VFIO's interfaces a device runs; what is given up is told at each start.
    func tell(_ choice: BackendChoice) {
        info("\(choice)")
        for warning in choice.warnings { self.warning("\(warning)") }
    }
}

extension LoggingOptions {
    /// The same where a device is opened before the log starts.
    func tell(_ choice: BackendChoice) {
        if verbose > 0 { StandardStream.error.write("unic: \(choice)\n") }
        for warning in choice.warnings { StandardStream.error.write("unic: warning: \(warning)\n") }
    }
}

/// What ports in several threads were given.
final class MemoryNotices: Sendable {
    private let held = Mutex<[String]>([])

    var texts: [String] { held.withLock { $0 } }

    func add(_ url: String, _ outcome: HugepageOutcome) {
        let text = "packet memory of \(url): \(outcome)"
        held.withLock { if !$0.contains(text) { $0.append(text) } }
    }
}
