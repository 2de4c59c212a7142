import Reports

extension FuzzTarget {
    /// What `unic status` reads from whoever listens there. What is understood must be written as JSON, and mean the same then.
    func readJSON(_ bytes: [UInt8]) {
        guard let value = JSONValue(parsing: bytes) else { return }
        let text = value.text
        guard let again = JSONValue(parsing: Array(text.utf8)) else { preconditionFailure("\(text) is no JSON") }
        precondition(again.text == text, "\(text) became \(again.text)")
    }
}
