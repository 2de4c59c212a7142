import LinuxIO
import Testing

/// The built `unic`, which lies beside the tests' own program.
enum UnicProgram {
    struct Output {
        let exit: ChildProcess.Exit?
        let output: String
        let errors: String
    }

    static func path(_ name: String = "unic") throws -> String {
        let own = try symbolicLinkTarget(of: "/proc/self/exe")
        let folder = own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return folder + "/" + name
    }

    static func start(_ arguments: [String]) throws -> ChildProcess { try ChildProcess(path(), arguments: arguments) }

    /// Runs it to its end, at most five minutes.
    static func run(_ arguments: [String]) throws -> Output { try run(program: path(), arguments) }

    /// Runs it through another program, for example taskset.
    static func run(through program: String, _ before: [String], _ arguments: [String]) throws -> Output {
        try run(program: program, before + [path()] + arguments)
    }

    static func run(program: String, _ arguments: [String]) throws -> Output {
        let child = try ChildProcess(program, arguments: arguments)
        let exit = child.wait(timeoutMilliseconds: 300_000)
        return Output(exit: exit, output: child.outputText, errors: child.errorText)
    }

    /// Puts a program into place. By another process: a child that a test next door forks at that moment would hold a descriptor of
    /// ours that is open for writing, and nobody could execute the file meanwhile (ETXTBSY, execve(2)).
    static func install(copyOf source: String, at path: String) throws {
        try require(run(program: "install", ["-m", "755", source, path]))
    }

    /// The same with a script.
    static func install(script: String, at path: String) throws {
        try require(run(program: "sh", ["-c", #"printf %s "$1" >"$0" && chmod 755 "$0""#, path, script]))
    }

    private static func require(_ output: Output) throws {
        try #require(output.exit == .exited(0), "\(output.errors)")
    }

    /// A name for a wire that no other test and no other run has.
    static func freshWire(_ what: String) -> String { "test-\(what)-\(processIdentifier)-\(UInt32.random(in: 0 ... .max))" }

    /// A path in a directory for temporary files.
    static func temporaryPath(_ name: String) -> String { "/tmp/unic-test-\(processIdentifier)-\(UInt32.random(in: 0 ... .max))-\(name)" }
}
