import ArgumentParser
import Devices
import LinuxIO
import PingPong

/// Options of `unic pingpong --mpi`.
struct MPIPingPongOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The MPI launcher for --mpi.", valueName: "program"))
    var launcher = "mpirun"
    @Option(
        help: ArgumentHelp(
            "The MPI program for --mpi, built for that launcher's MPI; by default mpi-pingpong beside this one, for Open MPI.",
            valueName: "program"))
    var mpiProgram: String?

    private static let defaultProgram = "mpi-pingpong"

    /// Errors: no launcher, or one of an MPI that is not known; a library or the program is not installed.
    func prepare(sizes: [Int], count: Int, warmup: Int, devices: [String]) throws -> MPIPingPongRun {
        do {
            let kind = try MPIKind.detect(launcher: launcher)
            guard kind != .mpich || mpiProgram != nil else {
                throw Ending.failed(
                    "'\(launcher)' is MPICH's, and the program that is installed is for Open MPI. Build Sources/examples/mpi-c/pingpong.c with MPICH's mpicc and name it with --mpi-program."
                )
            }
            let program = try mpiProgram ?? InstalledLibraries.installed().folder(of: Self.defaultProgram) + "/" + Self.defaultProgram
            // With a report that nobody prints: it makes a job fail that does not run on unic.
            let job = MPIJob(deviceURLs: devices, tracking: MPITracking(report: kind == .mpich ? nil : "off"))
            var settings = try job.settings(for: [kind], devices: job.devices()?.text)
            if kind != .mpich { settings.variables.append(("UNIC_MPI_REQUIRE", "1")) }
            // Open MPI asks for it before it starts anything as root; two ranks of a known program are harmless.
            let asRoot = kind != .mpich && effectiveUser == 0 ? ["--allow-run-as-root"] : []
            let list = sizes.map(String.init).joined(separator: ",")
            return MPIPingPongRun(
                command: [launcher] + asRoot + settings.arguments(of: kind) + [
                    "-n", "2", program, "--sizes", list, "--count", "\(count)", "--warmup", "\(warmup)", "--json",
                ])
        } catch let ending as ExitCode { throw ending } catch { throw Ending.failed("\(error)") }
    }
}

/// An MPI ping-pong between two ranks of this machine, ready to start.
struct MPIPingPongRun {
    let command: [String]

    /// Longest run, milliseconds.
    private static let timeoutMilliseconds: UInt64 = 3_600_000

    func run(besides raw: PingPongReport, json: Bool, stop: StopFlag) throws {
        let child: ChildProcess
        do { child = try ChildProcess(command[0], arguments: Array(command.dropFirst())) } catch { throw Ending.failed("\(error)") }
        let deadline = Deadline(afterMilliseconds: Self.timeoutMilliseconds)
        while child.wait(timeoutMilliseconds: 100) == nil {
            guard stop.isRaised || deadline.hasPassed else { continue }
            child.send(signal: 15)
            child.wait(timeoutMilliseconds: 5000)
            throw Ending.interrupted(stop)
        }
        guard child.exit == .exited(0), let messages = LayerComparison.Messages.parse(child.standardOutput) else {
            throw Ending.failed("the MPI program failed. The command was: \(command.joined(separator: " "))\n\(child.errorText)")
        }
        let comparison = LayerComparison(raw: raw.results, messages: messages)
        StandardStream.output.write(json ? comparison.json : comparison.table)
    }
}
