import HostBack
import LinuxIO
import Synchronization
import SystemPackage

/// What a guardian did, in its order; and what refuses.
final class ScriptedGuarded: GuardedHost, Sendable {
    private let done = Mutex<[String]>([])
    private let failures: [String: Errno]

    /// - Parameter failures: of steps, by their text.
    init(failures: [String: Errno] = [:]) { self.failures = failures }

    var steps: [String] { done.withLock { $0 } }

    fileprivate func step(_ text: String) throws(SystemCallError) {
        done.withLock { $0.append(text) }
        if let errno = failures[text] { throw SystemCallError(call: "step", subject: text, errno: errno) }
    }

    func device(_ file: consuming OwnedDescriptor, configOffset: UInt64, name: String) -> any QuietableDevice {
        ScriptedThing(self, "\(name)@\(configOffset)")
    }
    func container(_ file: consuming OwnedDescriptor, name: String) -> any QuietableContainer { ScriptedThing(self, name) }
    func context(_ file: consuming OwnedDescriptor) -> any QuietableContext { ScriptedThing(self, "context") }
}

private final class ScriptedThing: QuietableDevice, QuietableContainer, QuietableContext {
    let host: ScriptedGuarded
    let name: String
    init(_ host: ScriptedGuarded, _ name: String) {
        self.host = host
        self.name = name
    }
    func endBusMastering() throws(SystemCallError) { try host.step("\(name) master") }
    func reset() throws(SystemCallError) { try host.step("\(name) reset") }
    func unmapAll() throws(SystemCallError) -> UInt64 {
        try host.step("\(name) unmap")
        return 4096
    }
    func unmapAll(space id: UInt32) throws(SystemCallError) -> UInt64 {
        try host.step("space \(id) unmap")
        return 8192
    }
}
