import Synchronization

/// What a library says to a person: its callers get numbers for errors, and may not print them.
public enum Complaint {
    private static let said = Mutex<Set<String>>([])

    /// To standard error, each text once.
    public static func once(_ text: String) {
        if said.withLock({ $0.insert(text).inserted }) { StandardStream.error.write("unic: \(text)\n") }
    }
}
