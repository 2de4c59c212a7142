import LinuxIO
import Synchronization

/// What is said to a person although libfabric's log is off: an application that does not print its errors would else leave
/// him with nothing.
enum Complaint {
    private static let said = Mutex<Set<String>>([])

    /// To standard error, each text once.
    static func once(_ text: String) {
        if said.withLock({ $0.insert(text).inserted }) { StandardStream.error.write(text) }
    }
}
