import Glibc
import SystemPackage

/// A variable of this process's environment; nil if it is not set.
public func environmentVariable(_ name: String) -> String? {
    // SAFETY: the name lives for the call; the value is copied at once.
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
}

/// Becomes another program: same process, terminal and signals, as env(1) does. Returns only if it failed.
/// - Parameters:
///   - command: a path or a name to look for in PATH, and its arguments; not empty.
///   - variables: set in the environment before.
public func becomeProgram(_ command: [String], variables: [(name: String, value: String)]) throws(SystemCallError) -> Never {
    for (name, value) in variables {
        // SAFETY: setenv(3) copies both; this program has one thread here.
        try systemCall("setenv", on: name) { unsafe setenv(name, value, 1) }
    }
    // SAFETY: fresh copies, which live until the program is replaced, or until this one ends with its error.
    var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
    // SAFETY: the array ends with nil (execvp(3)).
    try systemCall("execvp", on: command[0]) { unsafe execvp(command[0], &arguments) }
    throw SystemCallError(call: "execvp", subject: command[0], errno: Errno(rawValue: errno))
}
