import Glibc
import LinuxIO
import SystemPackage

/// A guest and its script at work. This side and the script see each other's files in /lab/results, and QEMU's monitor
/// plugs devices. It ends with ``finish()``, or with its owner.
public final class RunningGuest {
    public let resultsDirectory: String
    private let child: ChildProcess
    private let monitorPath: String
    private let limitSeconds: Int
    private var isFinished = false

    init(_ child: ChildProcess, resultsDirectory: String, monitorPath: String, limitSeconds: Int) {
        self.child = child
        self.resultsDirectory = resultsDirectory
        self.monitorPath = monitorPath
        self.limitSeconds = limitSeconds
    }

    deinit {
        end()
        if !isFinished { Guest.remove(resultsDirectory: resultsDirectory) }
    }

    /// Waits until the script leaves a file in /lab/results. False: the time is over, or the guest has ended.
    public func wait(for file: String, seconds: Int) -> Bool {
        child.readOutput(timeoutMilliseconds: UInt64(seconds) * 1000) { _ in PathIdentity(of: "\(resultsDirectory)/\(file)") != nil }
    }

    public var isRunning: Bool { child.exit == nil }

    /// Leaves an empty file in /lab/results for the script.
    public func leave(_ file: String) throws(LabError) {
        do { _ = try OwnedDescriptor.open("\(resultsDirectory)/\(file)", flags: O_WRONLY | O_CREAT, mode: 0o644) } catch {
            throw .lacking("\(error)")
        }
    }

    /// Gives QEMU one command of its machine protocol (docs/interop/qmp-spec.rst), as JSON.
    /// - Returns: QEMU's answer, a line of JSON: a member "return", or "error".
    public func monitor(_ command: String) throws(LabError) -> String {
        do {
            let channel = try MonitorChannel(at: monitorPath)
            _ = try channel.answer(to: #"{"execute":"qmp_capabilities"}"#)
            return try channel.answer(to: command)
        } catch {
            throw .lacking("QEMU's monitor did not take \(command): \(error)")
        }
    }

    /// Waits for the guest to be gone.
    public func finish() throws(LabError) -> GuestRun {
        child.wait(timeoutMilliseconds: UInt64(limitSeconds) * 1000)
        end()
        isFinished = true
        return try GuestRun(
            outcome: try? readSmallFile(resultsDirectory + "/outcome"), resultsDirectory: resultsDirectory,
            output: child.outputText, errorOutput: child.errorText)
    }

    private func end() {
        if child.exit == nil {
            child.send(signal: SIGTERM)  // it ends QEMU
            child.wait(timeoutMilliseconds: 5000)
        }
        PathIdentity(of: monitorPath)?.unlink(monitorPath)
    }
}

/// A connection to QEMU's monitor: lines of JSON, answers among events.
private final class MonitorChannel {
    private let socket: UnixSocket
    private var received: [UInt8] = []
    /// For an answer.
    private static let milliseconds: UInt64 = 10_000
    /// Of one line; QEMU's are some hundred bytes.
    private static let longestLine = 1 << 20

    init(at path: String) throws(SystemCallError) { socket = try UnixSocket.connect(to: path) }

    func answer(to command: String) throws(SystemCallError) -> String {
        let bytes = Array(command.utf8) + [UInt8(ascii: "\n")]
        guard try socket.send(bytes) == bytes.count else { throw failure(.wouldBlock) }
        let deadline = Deadline(afterMilliseconds: Self.milliseconds)
        while !deadline.hasPassed {
            while let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: received[..<end], as: UTF8.self)
                received.removeSubrange(...end)
                // The greeting and events are no answers.
                if line.contains(#"{"return""#) || line.contains(#"{"error""#) { return line }
            }
            guard received.count < Self.longestLine else { break }
            try receive(deadline)
        }
        throw failure(.timedOut)
    }

    private func receive(_ deadline: Deadline) throws(SystemCallError) {
        _ = waitForEvents([PollRequest(socket.number, .readable)], timeoutMilliseconds: deadline.remainingMilliseconds)
        var chunk = [UInt8](repeating: 0, count: 4096)
        var none: [ReceivedDescriptor] = []
        switch try socket.receive(into: &chunk, from: 0, byteCount: chunk.count, descriptors: &none) {
        case .bytes(let count, _): received += chunk[..<count]
        case .wouldBlock: return
        case .closed: throw failure(.connectionReset)
        }
    }

    private func failure(_ code: Errno) -> SystemCallError { SystemCallError(call: "QMP", subject: "QEMU", errno: code) }
}
