public import LinuxIO

/// Why a function was not given to another driver. What was begun has been undone, unless the message says otherwise.
public enum BindError: Error, CustomStringConvertible {
    case noSuchFunction(String)
    /// Somebody may need the function where it is.
    case needed(String, reason: String, fix: String)
    /// It cannot work on this machine as it is.
    case impossible(String, reason: String, fix: String)
    case refused(String, cause: SystemCallError, fix: String)
    /// The kernel took the command and the driver did not take the function.
    case notTaken(String, driver: String, holder: String?, fix: String)
    /// Undoing failed, too.
    case leftOver(String, was: String, reason: String)

    public var description: String {
        switch self {
        case .noSuchFunction(let address): "There is no PCI function \(address). `unic list --all` shows those that there are."
        case .needed(let address, let reason, let fix): "\(address) was left alone: \(reason). \(fix)"
        case .impossible(let address, let reason, let fix): "\(address) was left alone: \(reason). \(fix)"
        case .refused(let address, let cause, let fix): "\(address): \(cause) \(fix)"
        case .notTaken(let address, let driver, let holder, let fix):
            "\(address): \(driver) did not take it; it is now bound to \(holder ?? "no driver"). \(fix)"
        case .leftOver(let address, let was, let reason):
            "\(address): \(was) Undoing it failed as well: \(reason) `unic list` shows how it stands now."
        }
    }
}
