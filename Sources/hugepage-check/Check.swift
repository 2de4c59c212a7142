import DeviceMemory
import Glibc
import LinuxIO

/// Runs every way to end with pages in hand. Where this machine gives no hugepages, shows that the reason is told.
func check(_ byteCount: Int) {
    restore()
    let before = pools()
    say("before: \(before)")
    let outcome = endings(byteCount, before)
    if outcome.contains("added to the pool") { killedWhileRaised(byteCount, before) }
    say(outcome.contains(hugeMark) ? "OK: every page came back." : "OK: no hugepages here, and the reason is told.")
}

private let hugeMark = "pages of 2 MiB"

/// An orderly end and a kill -9 of a process that holds pages.
private func endings(_ byteCount: Int, _ before: String) -> String {
    let orderly = child("hold", byteCount, "200")
    let outcome = firstLine(of: orderly)
    say("hold: \(outcome)")
    if outcome.contains(hugeMark) {
        guard pools() != before else { fail("FAILED: no page left the pool.") }
    } else {
        guard outcome.contains("pages of 4 KiB"), outcome.contains("No 2 MiB pages: ") else { fail("FAILED: no reason told.") }
    }
    guard orderly.wait(timeoutMilliseconds: 10_000) == .exited(0) else { fail("FAILED: the holder did not end well.") }
    same(before, "after an orderly end")

    let killed = child("hold", byteCount, "60000")
    _ = firstLine(of: killed)
    killed.send(signal: SIGKILL)
    guard killed.wait(timeoutMilliseconds: 10_000) == .signalled(SIGKILL) else { fail("FAILED: the holder was not killed.") }
    same(before, "after kill -9")
    return outcome
}

/// A process killed while it has the pool raised: restored by command, and by the next start.
private func killedWhileRaised(_ byteCount: Int, _ before: String) {
    raiseAndDie(byteCount, before)
    restore()
    same(before, "after restore")
    raiseAndDie(byteCount, before)
    guard child("hold", byteCount, "0").wait(timeoutMilliseconds: 10_000) == .exited(0) else {
        fail("FAILED: the next start did not end well.")
    }
    same(before, "after the next start")
}

private func raiseAndDie(_ byteCount: Int, _ before: String) {
    guard child("die-raised", byteCount).wait(timeoutMilliseconds: 10_000) == .signalled(SIGKILL) else {
        fail("FAILED: the raiser was not killed.")
    }
    guard pools() != before else { fail("FAILED: the pool is not raised, so nothing can be restored.") }
    say("killed while raised: \(pools())")
}

private func child(_ verb: String, _ byteCount: Int, _ more: String...) -> ChildProcess {
    orFail { () throws(SystemCallError) in try ChildProcess("/proc/self/exe", arguments: [verb, "\(byteCount)"] + more) }
}

/// Waits for a whole line: by then the child holds its pages.
private func firstLine(of child: ChildProcess) -> String {
    _ = child.readOutput(timeoutMilliseconds: 10_000) { $0.standardOutput.contains(UInt8(ascii: "\n")) }
    return String(child.outputText.prefix { $0 != "\n" })
}

private func pools() -> String {
    HugepagePool.report().sizes.map { size in
        "\(size.pool.pageByteCount >> 20) MiB: total \(size.pool.total) free \(size.pool.free) reserved \(size.pool.reserved)"
    }.joined(separator: ", ")
}

/// A killed process gives its pages back when it is waited for, or a moment later.
private func same(_ before: String, _ moment: String) {
    let deadline = Deadline(afterMilliseconds: 2000)
    while pools() != before, !deadline.hasPassed { sleepMicroseconds(10_000) }
    guard pools() == before else { fail("FAILED: \(moment): \(pools())") }
    say("\(moment): as before")
}
