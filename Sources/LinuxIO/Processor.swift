public import CLinuxShims
import Glibc
import SystemPackage

/// Where the calling thread runs.
public enum Processor {
    /// The CPUs that the calling thread may use, ascending.
    public static var usable: [Int] { (0..<1024).filter { unic_cpu_is_usable(Int32($0)) != 0 } }

    /// Keeps the calling thread on one CPU.
    public static func pinCallingThread(to cpu: Int) throws(SystemCallError) {
        try systemCall("sched_setaffinity", on: "CPU \(cpu)") { unic_pin_to_cpu(Int32(clamping: cpu)) }
    }

    /// Lets another thread run on this CPU.
    public static func yield() { _ = sched_yield() }

    /// Tells the CPU that this is a spinning loop.
    @inlinable public static func spinHint() { unic_spin_hint() }
}
