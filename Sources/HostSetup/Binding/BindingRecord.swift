import LinuxIO

/// What a function was bound to before unic gave it away: one file each in a directory of root's, which goes with the boot.
struct BindingRecord: Equatable, Sendable {
    /// nil: no driver had it.
    let driver: String?
    /// What driver_override said; nil: nothing.
    let override: String?

    var text: String { "driver \(driver ?? "-")\noverride \(override ?? "-")\n" }

    init(driver: String?, override: String?) {
        self.driver = driver
        self.override = override
    }

    /// nil for anything that ``text`` does not write.
    init?(_ text: String) {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        guard lines.count == 2, lines.allSatisfy({ $0.count == 2 }), lines[0][0] == "driver", lines[1][0] == "override" else { return nil }
        func name(_ word: Substring) -> String?? {
            if word == "-" { return .some(nil) }
            return DriverName.isOne(word) ? .some(String(word)) : nil
        }
        guard let driver = name(lines[0][1]), let override = name(lines[1][1]) else { return nil }
        self.init(driver: driver, override: override)
    }
}

/// What sysfs can be asked with: a name that is a path's part and nothing more.
enum DriverName {
    static func isOne(_ text: some StringProtocol) -> Bool {
        (1...64).contains(text.utf8.count) && text != "-"
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: "-")
            }
    }
}

/// The directory of records, and the lock under which drivers are changed.
struct BindingRecords: Sendable {
    let directory: String

    private func name(_ address: String) -> String { "driver-of-\(address)" }

    func read(_ address: String) -> BindingRecord? { (try? readSmallFile("\(directory)/\(name(address))")).flatMap(BindingRecord.init) }

    func write(_ record: BindingRecord, of address: String) throws(SystemCallError) {
        let file = try PrivateDirectory(path: directory).openFile(name(address))
        try file.resize(to: 0, subject: name(address))
        try file.write(Array(record.text.utf8), at: 0, subject: name(address))
    }

    /// A record that is not there is what is wanted.
    func remove(_ address: String) { try? PrivateDirectory(path: directory).removeFile(name(address)) }

    /// Runs the body while no other unic changes drivers.
    func withLock<Result>(_ body: () throws(BindError) -> Result) throws(BindError) -> Result {
        let lock = try takenLock()
        defer { _ = lock.number }
        return try body()
    }

    /// Locked until it is closed.
    private func takenLock() throws(BindError) -> OwnedDescriptor {
        do { return try waitForLock() } catch {
            throw .refused("the record of drivers", cause: error, fix: "Run this as root; another `unic bind` may be at work.")
        }
    }

    private func waitForLock() throws(SystemCallError) -> OwnedDescriptor {
        let lock = try PrivateDirectory(path: directory).openFile("driver-lock")
        let deadline = Deadline(afterMilliseconds: 10_000)
        while try !lock.tryLock(byte: 0) {
            guard !deadline.hasPassed else {
                throw SystemCallError(call: "fcntl(F_OFD_SETLK)", subject: "\(directory)/driver-lock", errno: .wouldBlock)
            }
            sleepMicroseconds(5_000)
        }
        return lock
    }
}
