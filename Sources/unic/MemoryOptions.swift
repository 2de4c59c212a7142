import ArgumentParser
import DeviceMemory
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

/// What ports in several threads were given.
final class MemoryNotices: Sendable {
    private let held = Mutex<[String]>([])

    var texts: [String] { held.withLock { $0 } }

    func add(_ url: String, _ outcome: HugepageOutcome) {
        let text = "packet memory of \(url): \(outcome)"
        held.withLock { if !$0.contains(text) { $0.append(text) } }
    }
}
