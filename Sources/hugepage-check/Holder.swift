import DeviceMemory
import Glibc
import LinuxIO
import SystemPackage

/// A line on standard output, at once: a parent waits for it.
func say(_ line: String) { _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8) }

func fail(_ message: String) -> Never {
    say(message)
    exit(1)
}

/// Runs what may throw; an error is told and ends the program.
func orFail<Result: ~Copyable>(_ body: () throws(SystemCallError) -> Result) -> Result {
    do { return try body() } catch { fail("\(error)") }
}

/// Keeps pages for a while, or until it is killed.
func hold(_ byteCount: Int, milliseconds: UInt64) {
    let allocation = orFail { () throws(SystemCallError) in try HugepageAllocator().allocate(byteCount: byteCount) }
    let window = allocation.memory.window
    window.fill(0xa5)
    say("\(allocation.outcome)")
    sleepMicroseconds(milliseconds * 1000)
    guard window.load8(at: 0) == 0xa5, window.load8(at: window.byteCount - 1) == 0xa5 else { fail("The memory lost a byte.") }
    _ = allocation.takeMemory()
}

/// Dies at the one moment in which a pool stays raised.
func dieRaised(_ byteCount: Int) {
    let allocator = HugepageAllocator(afterRaise: { kill(getpid(), SIGKILL) })
    let allocation = orFail { () throws(SystemCallError) in try allocator.allocate(byteCount: byteCount) }
    fail("The pool did not have to be raised: \(allocation.outcome)")
}

func restore() {
    if let left = orFail({ () throws(SystemCallError) in try HugepagePool.restore() }) {
        say("\(left.pageCount) pages of \(left.pageByteCount) bytes left the pool.")
    } else {
        say("Nothing to restore.")
    }
}
