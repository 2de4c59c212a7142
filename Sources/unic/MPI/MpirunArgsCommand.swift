import ArgumentParser
import LinuxIO

struct MpirunArgsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mpirun-args",
        abstract: "Print the arguments with which mpirun runs a program over unic.",
        discussion: """
            They name the libfabric provider and the way to it, and the device of each rank of a machine. The MPI is that of the
            mpirun in PATH. The program is any MPI program, as it is.

            Examples:
              mpirun $(unic mpirun-args) -n 2 ./program
              mpirun $(unic mpirun-args --device vfio:0000:01:00.0 --device vfio:0000:02:00.0 --report text) -n 2 ./program
            """)

    @Option(help: ArgumentHelp("Which MPI it is: openmpi4, openmpi5, mpich, or auto to ask mpirun.", valueName: "name"))
    var mpi = "auto"
    @Option(help: ArgumentHelp("The launcher that is asked.", valueName: "program"))
    var launcher = "mpirun"
    @OptionGroup var options: MPIOptions

    func validate() throws {
        guard mpi == "auto" || MPIKind(rawValue: mpi) != nil else {
            throw ValidationError("--mpi takes auto, \(MPIKind.names); not '\(mpi)'.")
        }
    }

    func run() throws {
        let words: [String]
        do {
            let kind = try MPIKind(rawValue: mpi) ?? MPIKind.detect(launcher: launcher)
            words = try options.job.settings(for: [kind], devices: options.job.devices()?.text).arguments(of: kind)
        } catch { throw Ending.failed("\(error)") }
        try requireThatShellsKeep(words)
        StandardStream.output.write(words.joined(separator: " ") + "\n")
    }

    /// What an unquoted `$(…)` does to its text: it is cut at spaces, and patterns become the names of files (POSIX, Shell Command
    /// Language §2.6.5, §2.6.6). A `?` stays unless a file of such a name is there.
    private func requireThatShellsKeep(_ words: [String]) throws {
        for word in words {
            guard word.isEmpty || word.contains(where: { $0.isWhitespace || "*[\\".contains($0) }) else { continue }
            throw Ending.failed(
                "a shell would not leave '\(word)' in one piece in $(unic mpirun-args). Use `eval \"$(unic env)\"` before mpirun, or the wrapper unic-mpi."
            )
        }
    }
}
