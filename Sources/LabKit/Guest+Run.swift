import Glibc
import LinuxIO
import Synchronization

extension Guest {
    /// What a first run may take beyond its own limit, seconds: the guest's root is made then.
    static let imageSeconds = 600

    /// Boots, runs a text for bash (it ends at the first command that fails), and waits for the guest to be gone.
    /// - Parameters:
    ///   - script: sees `arguments` as "$@" and leaves files in /lab/results.
    ///   - timeLimitSeconds: for the whole guest; then QEMU is killed and the run's ending is ``GuestRun/Ending/timeLimit``.
    ///   - environment: for `Lab/run`; UNIC_QEMU is the QEMU to use.
    public func run(
        _ script: String, arguments: [String] = [], timeLimitSeconds: Int = 120, environment: [String: String]? = nil
    ) throws(LabError) -> GuestRun {
        let directory = Self.freshResultsDirectory()
        let words = self.arguments(resultsDirectory: directory, timeLimitSeconds: timeLimitSeconds)
        let program = Self.checkout + "/Lab/run"
        do {
            let child = try ChildProcess(program, arguments: words + ["--command", script] + arguments, environment: environment)
            let limit = UInt64(timeLimitSeconds + Self.imageSeconds) * 1000
            if child.wait(timeoutMilliseconds: limit) == nil {
                child.send(signal: SIGTERM)  // it ends QEMU
                child.wait(timeoutMilliseconds: 5000)
            }
            return try GuestRun(
                outcome: try? readSmallFile(directory + "/outcome"), resultsDirectory: directory,
                output: child.outputText, errorOutput: child.errorText)
        } catch {
            Self.remove(resultsDirectory: directory)
            throw error as? LabError ?? .lacking("\(error) The lab is run by \(program).")
        }
    }

    /// The checkout that this file was built from.
    private static var checkout: String {
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    }

    /// Below the checkout, where nobody else writes.
    private static func freshResultsDirectory() -> String {
        "\(checkout)/.build/lab/\(getpid()).\(resultsCount.add(1, ordering: .relaxed).oldValue)"
    }

    /// Removes what a run left. A failure leaves a directory behind, nothing worse.
    static func remove(resultsDirectory: String) {
        _ = try? ChildProcess("rm", arguments: ["-rf", "--", resultsDirectory]).wait(timeoutMilliseconds: 10_000)
    }
}

private let resultsCount = Atomic<Int>(0)
