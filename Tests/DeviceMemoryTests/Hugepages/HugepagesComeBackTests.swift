import LinuxIO
import SystemPackage
import Testing

/// Real pages in child processes that end in every way: `hugepage-check` counts them. It also runs where a machine has no
/// hugepages, and then insists on the reason.
@Suite(.serialized) struct HugepagesComeBackTests {
    static var program: String {
        get throws {
            // SwiftPM runs tests from the directory that programs are built into, or names the bundle in it.
            let bundle = CommandLine.arguments.drop { $0 != "--test-bundle-path" }.dropFirst().first
            let own = FilePath(bundle ?? CommandLine.arguments[0]).removingLastComponent()
            return own.appending("hugepage-check").string
        }
    }

    /// One run at a time on this machine: pools are the machine's.
    static func run(_ arguments: [String]) throws -> (exit: ChildProcess.Exit?, text: String) {
        let child = try ChildProcess("flock", arguments: ["-w", "100", "/tmp/unic-hugepage-check.lock"] + arguments)
        let exit = child.wait(timeoutMilliseconds: 120_000)
        return (exit, child.outputText + child.errorText)
    }

    @Test func everyPageComesBackWhateverEndsItsHolder() throws {
        let (exit, text) = try Self.run([try Self.program, "check"])
        #expect(exit == .exited(0), "\(text)")
        #expect(text.contains("after kill -9: as before"), "\(text)")
        if effectiveUser == 0, text.contains("added to the pool") { #expect(text.contains("after the next start: as before"), "\(text)") }
    }

    @Test func userWithoutRightsIsToldWhatToDo() throws {
        guard effectiveUser == 0 else {
            let (exit, text) = try Self.run([try Self.program, "check"])
            #expect(exit == .exited(0), "\(text)")
            return
        }
        // A copy: the build directory may be closed to others.
        let copy = "/tmp/unic-hugepage-check-\(MonotonicClock.nanoseconds())"
        #expect(
            try ChildProcess("install", arguments: ["-m", "755", try Self.program, copy]).wait(timeoutMilliseconds: 10_000) == .exited(0))
        defer { _ = try? ChildProcess("rm", arguments: ["-f", copy]).wait(timeoutMilliseconds: 10_000) }
        let (exit, text) = try Self.run(["setpriv", "--reuid", "65534", "--clear-groups", copy, "check", "1000000000"])
        #expect(exit == .exited(0), "\(text)")
    }
}
