import CLinuxShims
import Glibc
import SystemPackage

/// Another program, run with its output captured. Killed and reaped with its owner. One thread uses it.
public final class ChildProcess {
    public enum Exit: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// What is kept of each stream, bytes; what comes later is read and thrown away.
    public static let captureLimit = 64 << 20

    public let processIdentifier: Int32
    public private(set) var standardOutput: [UInt8] = []
    public private(set) var standardError: [UInt8] = []
    /// Set once the program has ended and was reaped.
    public private(set) var exit: Exit?
    private let outputEnd: OwnedDescriptor
    private let errorEnd: OwnedDescriptor
    private let outlivesOwner: Bool

    /// Starts a program. Its standard input is empty, its signals are at their defaults.
    /// - Parameters:
    ///   - path: of the program, or a name to look for in PATH.
    ///   - environment: nil for this process's own.
    public init(_ path: String, arguments: [String], environment: [String: String]? = nil) throws(SystemCallError) {
        let output = try Self.makeChannel()
        let error = try Self.makeChannel()
        processIdentifier = try Self.spawn(
            path, arguments: arguments, environment: environment,
            streams: .captured(output: output.theirs.number, error: error.theirs.number))
        outputEnd = output.takeOurs()
        errorEnd = error.takeOurs()
        outlivesOwner = false
    }

    /// Starts a program on this process's own terminal: standard streams are shared, nothing is captured.
    public init(sharingStreams path: String, arguments: [String]) throws(SystemCallError) {
        processIdentifier = try Self.spawn(path, arguments: arguments, environment: nil, streams: .shared)
        outputEnd = OwnedDescriptor(adopting: -1)
        errorEnd = OwnedDescriptor(adopting: -1)
        outlivesOwner = false
    }

    /// Starts a program in a session of its own (setsid(2)), which no signal of this one's terminal or group reaches, and which
    /// outlives its owner. It has no standard output; standard error is shared.
    /// - Parameter input: becomes its standard input, and stays the caller's.
    public init(inOwnSession path: String, arguments: [String], input: Int32) throws(SystemCallError) {
        processIdentifier = try Self.spawn(path, arguments: arguments, environment: nil, streams: .ownSession(input: input))
        outputEnd = OwnedDescriptor(adopting: -1)
        errorEnd = OwnedDescriptor(adopting: -1)
        outlivesOwner = true
    }

    deinit {
        guard exit == nil, !outlivesOwner else { return }
        _ = kill(processIdentifier, SIGKILL)
        var status: Int32 = 0
        // SAFETY: a local is written for the time of the call.
        while unsafe waitpid(processIdentifier, &status, 0) < 0 && errno == EINTR {}
    }

    public var outputText: String { String(decoding: standardOutput, as: UTF8.self) }
    public var errorText: String { String(decoding: standardError, as: UTF8.self) }

    /// Sends a signal; nothing happens once the program was reaped.
    public func send(signal: Int32) {
        if exit == nil { _ = kill(processIdentifier, signal) }
    }

    /// Reads output until the program ends or the time is over. Returns how it ended, nil if it still runs.
    @discardableResult
    public func wait(timeoutMilliseconds: UInt64) -> Exit? {
        _ = readOutput(timeoutMilliseconds: timeoutMilliseconds) { _ in false }
        return exit
    }

    /// Reads output until `isEnough` says so, the program ends, or the time is over. Returns whether it was enough.
    public func readOutput(timeoutMilliseconds: UInt64, until isEnough: (ChildProcess) -> Bool) -> Bool {
        let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
        while true {
            if isEnough(self) { return true }
            if exit != nil { return false }
            let left = deadline.remainingMilliseconds
            if waitForReadable([outputEnd.number, errorEnd.number], timeoutMilliseconds: min(left, 10)).isEmpty == false { drain() }
            reap()
            if exit != nil { drain() } else if left == 0 { return isEnough(self) }
        }
    }

    /// Reads output after the program's end, until nobody has its streams any more: what the program started may have them still.
    public func readRemainingOutput(timeoutMilliseconds: UInt64) {
        let deadline = Deadline(afterMilliseconds: timeoutMilliseconds)
        var open = [outputEnd.number, errorEnd.number]
        while !open.isEmpty {
            let events = waitForEvents(open.map { PollRequest($0, .readable) }, timeoutMilliseconds: deadline.remainingMilliseconds)
            drain()
            open = zip(open, events).filter { $0.1.isDisjoint(with: .gone) }.map(\.0)
            if deadline.hasPassed { return }
        }
    }

    private func reap() {
        var status: Int32 = 0
        // SAFETY: a local is written for the time of the call.
        guard exit == nil, unsafe waitpid(processIdentifier, &status, WNOHANG) == processIdentifier else { return }
        // wait(2): the low seven bits are the signal, 0 after exit(3), whose code is the next byte.
        exit = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
    }

    /// Takes what is there now, without waiting.
    private func drain() {
        Self.drain(outputEnd, into: &standardOutput)
        Self.drain(errorEnd, into: &standardError)
    }

    private static func drain(_ end: borrowing OwnedDescriptor, into bytes: inout [UInt8]) {
        let number = end.number
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let got =
                (try? systemCall("recv", on: "a child's output") { () -> Int in
                    // SAFETY: the array is ours for the call and its length is given.
                    unsafe chunk.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
                }) ?? 0
            guard got > 0 else { return }
            bytes += chunk[..<min(got, captureLimit - bytes.count)]
        }
    }
}

extension ChildProcess {
    /// What a child's standard streams are.
    private enum Streams {
        /// Its input is empty.
        case captured(output: Int32, error: Int32)
        /// This process's own.
        case shared
        /// In a session of its own: no output, and this process's errors.
        case ownSession(input: Int32)
    }

    /// Two ends of a stream; the child gets `theirs`.
    private final class Channel {
        let theirs: OwnedDescriptor
        private var ours: OwnedDescriptor?
        init(theirs: consuming OwnedDescriptor, ours: consuming OwnedDescriptor) {
            self.theirs = theirs
            self.ours = consume ours
        }
        func takeOurs() -> OwnedDescriptor { ours.take() ?? OwnedDescriptor(adopting: -1) }
    }

    /// A socket pair rather than a pipe: close-on-exec from its birth, so that no other child inherits it.
    private static func makeChannel() throws(SystemCallError) -> Channel {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        // SAFETY: two numbers are written into an array of two.
        try systemCall("socketpair", on: "a child's output") { unsafe socketpair(AF_UNIX, kind, 0, &ends) }
        return Channel(theirs: OwnedDescriptor(adopting: ends[1]), ours: OwnedDescriptor(adopting: ends[0]))
    }

    private static func spawn(
        _ path: String, arguments: [String], environment: [String: String]?, streams: Streams
    ) throws(SystemCallError) -> Int32 {
        // SAFETY: (to the end of the function) the structures are locals, initialised before and destroyed after their
        // only use; every C string is copied into an array that lives until posix_spawn returns, which keeps none.
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        // SAFETY: as above.
        var flags = Int32(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
        switch streams {
        case .captured(let output, let error):
            // SAFETY: as above.
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
            unsafe posix_spawn_file_actions_adddup2(&actions, error, 2)
        case .ownSession(let input):
            // SAFETY: as above.
            unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
            unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
            flags |= Int32(UNIC_POSIX_SPAWN_SETSID)
        case .shared: break
        }
        var attributes = posix_spawnattr_t()
        // SAFETY: as above.
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        // SAFETY: as above.
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        // SAFETY: as above.
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        // SAFETY: as above.
        var argv = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe argv.forEach { unsafe free($0) } }
        var envp = unsafe (environment ?? [:]).map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer { unsafe envp.forEach { unsafe free($0) } }
        var child: pid_t = 0
        // SAFETY: as above.
        let code =
            environment == nil
            ? unsafe posix_spawnp(&child, path, &actions, &attributes, &argv, Glibc.environ)
            : unsafe posix_spawnp(&child, path, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw SystemCallError(call: "posix_spawn", subject: path, errno: Errno(rawValue: code)) }
        return child
    }
}
