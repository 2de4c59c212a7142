import Glibc
import LinuxIO
import Synchronization

extension Guest {
    /// What a first run may take beyond its own limit, seconds: the guest's root is made then, or a small kernel.
    static let imageSeconds = 1200

    /// Boots, runs a text for bash (it ends at the first command that fails), and waits for the guest to be gone.
    /// - Parameters:
    ///   - script: sees `arguments` as "$@" and leaves files in /lab/results.
    ///   - timeLimitSeconds: for the whole guest; then QEMU is killed and the run's ending is ``GuestRun/Ending/timeLimit``.
    ///   - environment: for `Lab/run`; UNIC_QEMU is the QEMU to use.
    public func run(
        _ script: String, arguments: [String] = [], timeLimitSeconds: Int = 120, environment: [String: String]? = nil
    ) throws(LabError) -> GuestRun {
        try start(script, arguments: arguments, timeLimitSeconds: timeLimitSeconds, environment: environment).finish()
    }

    /// The same without waiting: what is here can work beside what is in the guest.
    public func start(
        _ script: String, arguments: [String] = [], timeLimitSeconds: Int = 120, environment: [String: String]? = nil
    ) throws(LabError) -> RunningGuest {
        let number = runCount.add(1, ordering: .relaxed).oldValue
        // Below the checkout, where nobody else writes; a socket's path has to be short.
        let directory = "\(Self.checkout)/.build/lab/\(getpid()).\(number)"
        let monitor = "/tmp/unic-lab-\(geteuid())-\(getpid())-\(number).qmp"
        var words = self.arguments(resultsDirectory: directory, timeLimitSeconds: timeLimitSeconds)
        words += ["--monitor", monitor, "--command", script] + arguments
        let program = Self.checkout + "/Lab/run"
        do {
            let child = try ChildProcess(program, arguments: words, environment: environment)
            return RunningGuest(
                child, resultsDirectory: directory, monitorPath: monitor, limitSeconds: timeLimitSeconds + Self.imageSeconds)
        } catch {
            throw .lacking("\(error) The lab is run by \(program).")
        }
    }

    /// The checkout that this file was built from.
    private static var checkout: String {
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    }

    /// Removes what a run left. A failure leaves a directory behind, nothing worse.
    static func remove(resultsDirectory: String) {
        _ = try? ChildProcess("rm", arguments: ["-rf", "--", resultsDirectory]).wait(timeoutMilliseconds: 10_000)
    }
}

private let runCount = Atomic<Int>(0)
